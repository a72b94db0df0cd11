"""Progress of an indexing: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

STAGES = {"read": "Lecture", "embed": "Calcul des vecteurs", "lexical": "Index des mots"}


class Reporter(Protocol):
    def say(self, text: str) -> None: ...

    def advance(self, stage: str, done: int, total: int) -> None: ...


class _Plain:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def advance(self, stage: str, done: int, total: int) -> None:
        if stage == "read" and total:
            self.say(f"{STAGES[stage]} : {done}/{total} fichiers")


@contextmanager
def indexing(stream: TextIO) -> Iterator[Reporter]:
    if not stream.isatty():
        yield _Plain(stream)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<20}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(file=stream)) as bar:
        tasks: dict[str, TaskID] = {}

        class _Bar:
            def say(self, text: str) -> None:
                bar.console.print(text)

            def advance(self, stage: str, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bar.add_task(STAGES[stage], total=total)
                bar.update(tasks[stage], completed=done, total=total)

        yield _Bar()
