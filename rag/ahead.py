"""Work done ahead of its turn: the next files are read while one is handled, and what encoding needs is opened meanwhile.

Reading happens in child processes, one core each; without this the other cores wait (docs/adr/0060-encoder.md).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from threading import Thread
from typing import Generic, TypeVar

from corpus import sandbox

Item = TypeVar("Item")
Result = TypeVar("Result")

READERS = min(os.cpu_count() or 1, 4)  # each child may take as much memory as a file is allowed
HEAVY = ("llama_index.core.schema", "llama_index.vector_stores.chroma", "chromadb")  # a second of one core to import


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], at_once: int = READERS
) -> Generator[Future[Result], None, None]:
    """A future of each item in turn, while up to `at_once` later ones are under way. Where the caller stops before the end
    (an error, Ctrl-C), the files being read are given up."""
    pool = ThreadPoolExecutor(at_once, "read")
    waiting = deque[Future[Result]]()
    finished = False
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > at_once:
                yield waiting.popleft()
        while waiting:
            yield waiting.popleft()
        finished = True
    finally:
        if not finished:
            for future in waiting:
                future.cancel()
            sandbox.give_up()
        pool.shutdown()


class Soon(Generic[Result]):
    """What a function gives, computed beside what goes on; `get` waits for it, or raises what it raised."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self._future: Future[Result] = Future()
        # Not a daemon: a program that ends while it opens a model would abort.
        Thread(target=self._run, args=(function,), name="soon").start()

    def get(self) -> Result:
        return self._future.result()

    def _run(self, function: Callable[[], Result]) -> None:
        try:
            self._future.set_result(function())
        except BaseException as error:  # noqa: BLE001  raised where it is asked for
            self._future.set_exception(error)


def import_heavy() -> None:
    for name in HEAVY:
        import_module(name)
