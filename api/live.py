"""The assistant in use: opened once, and replaced when a new index generation is published, without a lost request."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from corpus.errors import BoussoleError
from rag.assistant import Assistant
from rag.embedding import Encoder
from rag.generation import published
from rag.settings import Settings


class Live:
    """Hands the current assistant to requests; an older one is closed when its last request is done."""

    def __init__(self, settings: Settings, encoder: Encoder | None = None) -> None:
        self._settings = settings
        self._encoder = encoder
        self._lock = threading.Lock()
        self._users: dict[int, int] = {}
        self._assistant: Assistant | None = None
        self.error: BoussoleError | None = None

    def refresh(self) -> None:
        """Open the published generation where it isn't the one in use. A failure keeps the one in use, and is told."""
        try:
            name = published(self._settings.index)
            if self._assistant is not None and self._assistant.generation.name == name:
                return
            opened = Assistant(self._settings, self._encoder)
        except BoussoleError as error:
            self.error = error
            return
        self._encoder = opened.encoder
        with self._lock:
            old, self._assistant, self.error = self._assistant, opened, None
            idle = old is not None and not self._users.get(id(old))
        if old is not None and idle:
            old.close()

    @property
    def current(self) -> Assistant:
        """Raises what kept the index from opening."""
        if self._assistant is None:
            raise self.error or BoussoleError(
                "L'assistant démarre : réessayez dans quelques secondes.", code="starting"
            )
        return self._assistant

    @contextmanager
    def use(self) -> Iterator[Assistant]:
        with self._lock:
            assistant = self.current
            self._users[id(assistant)] = self._users.get(id(assistant), 0) + 1
        try:
            yield assistant
        finally:
            with self._lock:
                self._users[id(assistant)] -= 1
                last = not self._users[id(assistant)]
                if last:
                    del self._users[id(assistant)]
                stale = last and assistant is not self._assistant
            if stale:
                assistant.close()
