"""Progress of an indexing: a bar on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

STAGES = {"read": "Lecture", "embed": "Calcul des vecteurs", "lexical": "Index des mots et publication"}
WAITING = "Une autre indexation est en cours : attente de sa fin (Ctrl-C pour renoncer)…"
SPOKEN = 20.0  # seconds between two lines where there is no terminal


class Reporter(Protocol):
    def say(self, text: str) -> None: ...

    def advance(self, stage: str, done: int, total: int) -> None: ...


class _Plain:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stage, self._began, self._told = "", 0.0, 0.0

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def advance(self, stage: str, done: int, total: int) -> None:
        """The start and end of each stage, and between them a line now and then, with what is left."""
        if stage == "wait":
            self.say(WAITING)
            return
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._told = stage, now, 0.0
        if done < total and now - self._told < SPOKEN and self._told:
            return
        self._told = now
        left = f", encore {_duration((now - self._began) / done * (total - done))}" if 0 < done < total else ""
        if stage == "lexical" and done:
            return
        unit = {"read": " fichiers", "embed": " passages"}.get(stage, "")
        self.say(f"{STAGES[stage]} : {done}/{total}{unit}{left}" if unit else f"{STAGES[stage]}…")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


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
                if stage == "wait":
                    self.say(WAITING)
                    return
                if stage not in tasks:
                    tasks[stage] = bar.add_task(STAGES[stage], total=total)
                bar.update(tasks[stage], completed=done, total=total)

        yield _Bar()
