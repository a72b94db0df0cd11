"""What a language model sends, bounded in time and in bytes, whatever its server does.

A client's own time limit starts again at each byte received: a server that drips one a second would hold a question for ever.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

import httpx

Item = TypeVar("Item")

MOST_BYTES = 4 * 2**20  # of one response: far more than an answer, less than what would weigh on the memory
_WAITING = 64  # items kept for a slow reader
_PAUSE = 0.2  # seconds between two looks at whether the reader is still there
_opened = threading.local()  # .responses: those that this thread's `make` has opened


def bounded(seconds: float) -> Callable[[httpx.Response], None]:
    """A response hook of httpx: the body ends with httpx.ReadTimeout once `seconds` are over, and is cut at MOST_BYTES."""

    def hook(response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _BoundedStream(response.stream, time.monotonic() + seconds)
        getattr(_opened, "responses", []).append(response)

    return hook


class _BoundedStream(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        for piece in self._stream:
            received += len(piece)
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout("out of time")
            if received > MOST_BYTES:
                return
            yield piece

    def close(self) -> None:
        self._stream.close()


def until(deadline: float, make: Callable[[], Iterable[Item]]) -> Generator[Item, None, None]:
    """The items of `make()`, which runs in a thread of its own. Raises TimeoutError at `deadline` (of `time.monotonic()`), and
    what `make` or its items raise. The thread ends by itself at its next item, or when its response is out of time, and closes
    the responses that went through `bounded`: left to the garbage collector, they'd be closed in whatever thread it runs, which
    waits for ever where that thread holds the lock of their connection pool."""
    received: queue.Queue[tuple[str, Item | Exception | None]] = queue.Queue(_WAITING)
    left = threading.Event()

    def hand_over(kind: str, what: Item | Exception | None) -> bool:
        while not left.is_set():
            try:
                received.put((kind, what), timeout=_PAUSE)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        _opened.responses = []
        try:
            for item in make():
                if not hand_over("item", item):
                    return
        except Exception as error:  # noqa: BLE001 - told in the reader's thread
            hand_over("error", error)
        else:
            hand_over("end", None)
        finally:
            for response in _opened.responses:
                with suppress(httpx.HTTPError, OSError):
                    response.close()

    threading.Thread(target=read, daemon=True, name="language-model").start()
    try:
        while True:
            try:
                kind, what = received.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise TimeoutError("out of time") from None
            if kind == "item":
                yield what  # type: ignore[misc]  # an item, by its kind
            elif kind == "error":
                assert isinstance(what, Exception)
                raise what
            else:
                return
    finally:
        left.set()
