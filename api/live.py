"""The assistant in use: opened once, and replaced when a new index generation is published, without a lost request."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from corpus.errors import BoussoleError, IndexDamaged
from rag.assistant import Assistant
from rag.embedding import Encoder, load_encoder
from rag.generation import generation_folder, published, read_manifest
from rag.settings import Settings

log = logging.getLogger(__name__)
RETRY = 30.0  # seconds before a generation that failed to open is tried again: opening reads the whole index


class NotReady(BoussoleError):
    """The index is being opened; waiting helps."""

    code, retryable = "starting", True


class Live:
    """Hands the current assistant to requests; an older one is closed when its last request is done."""

    def __init__(
        self, settings: Settings, encoder: Encoder | None = None, say: Callable[[str], None] = lambda _: None
    ) -> None:
        self._settings = settings
        self._encoder = encoder
        self._say = say
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._users: dict[int, int] = {}
        self._assistant: Assistant | None = None
        self._failed: tuple[str, float] = ("", 0.0)
        self.error: BoussoleError | None = None

    def refresh(self) -> None:
        """Open the published generation where it isn't the one in use. A failure keeps the one in use, and is told."""
        with self._opening:
            name = ""
            try:
                name = published(self._settings.index)
                if self._known(name):
                    return
                opened = self._open(name)
            except (BoussoleError, OSError, sqlite3.Error, ValueError, KeyError, TypeError, RecursionError) as error:
                self._fail(name, error)
                return
            _warm(opened)
            self._encoder, self._failed = opened.encoder, ("", 0.0)
            with self._lock:
                old, self._assistant, self.error = self._assistant, opened, None
                idle = old is not None and not self._users.get(id(old))
            if old is not None and idle:
                old.close()
            log.info("generation in use: %s", name)

    @property
    def current(self) -> Assistant:
        """Raises what kept the index from opening."""
        if self._assistant is None:
            raise self.error or NotReady(
                "L'assistant démarre : il charge l'index et le modèle. Réessayez dans quelques secondes."
            )
        return self._assistant

    @contextmanager
    def use(self) -> Iterator[Assistant]:
        """The current assistant, kept open until the end of the block."""
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

    def close(self) -> None:
        with self._lock:
            old, self._assistant = self._assistant, None
            idle = old is not None and not self._users.get(id(old))
        if old is not None and idle:
            old.close()

    def _known(self, name: str) -> bool:
        """Whether `name` is in use already, or failed a moment ago."""
        if self._assistant is not None and self._assistant.generation.name == name:
            self.error = None
            return True
        failed, at = self._failed
        return failed == name and time.monotonic() - at < RETRY

    def _open(self, name: str) -> Assistant:
        manifest = read_manifest(generation_folder(self._settings.index, name))
        if self._encoder is None or self._encoder.name != manifest["model"]:
            chosen = self._settings.model_copy(update={"embedding_model": manifest["model"]})
            self._encoder = load_encoder(chosen, self._say)
        return Assistant(self._settings, self._encoder)

    def _fail(self, name: str, error: Exception) -> None:
        known = error if isinstance(error, BoussoleError) else None
        if known is None or known.code != (self.error.code if self.error else ""):
            log.warning("generation not opened: %s (%s)", name or "none", known.code if known else repr(error))
        self._failed = (name, time.monotonic())
        self.error = known or IndexDamaged("L'index publié est illisible. Lancez : boussole index --rebuild")


def _warm(assistant: Assistant) -> None:
    """Ask one question before visitors do: word lists, BM25 and the model's first pass take some two seconds, once."""
    title = next((document.title for document in assistant.documents), "")
    with suppress(BoussoleError):  # a language model that is down is told to those who ask, not here
        assistant.search(title[:200] or "question")
