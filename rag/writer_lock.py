"""The lock of the one process that builds an index. The system drops it with the process, however that ends."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from corpus.errors import IndexBusy

LOCK = "writer.lock"
ASK_AGAIN = 0.2  # seconds


@contextmanager
def writing(index: Path, wait: float, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the index's writer lock. `waiting` is called once where another process holds it.

    Raises IndexBusy after `wait` seconds, OSError where the lock file can't be made.
    """
    deadline = time.monotonic() + wait
    with (index / LOCK).open("a+", encoding="utf-8") as file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise IndexBusy(
                        f"Une autre indexation écrit déjà dans « {index} »{_holder(file)}. Attendez sa fin puis relancez."
                    ) from None
            if not told:
                waiting()
                told = True
            time.sleep(ASK_AGAIN)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _holder(file: IO[str]) -> str:
    file.seek(0)
    pid = file.read().strip()
    return f" (processus {pid})" if pid.isdigit() else ""
