"""How many questions are worked on at once, and how many wait: beyond that, one is told when to come back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from api.logs import request_id
from corpus.errors import BoussoleError

WAITING = 100  # questions in the queue: at some 5 answers a second on 2 cores, the last waits 20 s
PATIENCE = 25.0  # seconds in the queue, below the 30 s that most clients and proxies wait


class Busy(BoussoleError):
    """Too many questions at once; waiting helps."""

    code, retryable = "busy", True


class Turnstile:
    """Lets `places` questions in; the others wait in order."""

    def __init__(self, places: int | None = None, waiting: int = WAITING, patience: float = PATIENCE) -> None:
        self._places = anyio.Semaphore(places or (os.cpu_count() or 1) + 1)
        self._most_waiting = waiting
        self._patience = patience
        self._line: list[str] = []  # ids of the requests that wait, first come first
        self.working = 0

    @property
    def waiting(self) -> int:
        return len(self._line)

    def place(self, name: str) -> int | None:
        """The place in the queue, from 1, of the request with this id; None where it doesn't wait here."""
        return self._line.index(name) + 1 if name in self._line else None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a place and keep it for the block. Raises Busy."""
        await self._enter()
        self.working += 1
        try:
            yield
        finally:
            self.working -= 1
            self._places.release()

    async def _enter(self) -> None:
        if self.waiting >= self._most_waiting:
            raise Busy("Trop de questions à la fois : réessayez dans quelques secondes.")
        name = request_id.get()
        self._line.append(name)
        try:
            with anyio.fail_after(self._patience):
                await self._places.acquire()
        except TimeoutError:
            raise Busy("La file d'attente est trop longue : réessayez dans quelques secondes.") from None
        finally:
            self._line.remove(name)
