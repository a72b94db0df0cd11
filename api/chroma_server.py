"""The Chroma server of several workers: started beside them where the corpus outgrows the array and no server is named.

One process owns a Chroma folder (docs/adr/0002-chroma.md): this server owns `BOUSSOLE_DATA/chroma`, under a lock that it
inherits and so holds for as long as it lives. It is filled from the published generation's own array, and again when
another is published; the workers search the array meanwhile.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

from corpus.errors import BoussoleError
from rag.generation import Generation, published
from rag.settings import Settings
from rag.vectors import keep_collections, serve_generation

log = logging.getLogger(__name__)
START = 30.0  # seconds for the server to answer
LOOK = 2.0  # seconds between two looks at the published generation, and at the server
Say = Callable[[str], None]


@contextmanager
def chroma_server(settings: Settings, say: Say) -> Iterator[str]:
    """The address of a Chroma server that holds the published generation, running until the end of the block; "" where
    none is needed or none can be had: the workers then search the array, which is slower and as exact."""
    with closing(Generation.open_published(settings.index)) as generation:
        needed = settings.workers > 1 and not settings.chroma_url and len(generation) > settings.exact_limit
    if not needed:
        yield ""
        return
    folder = settings.data / "chroma"
    lock = _locked(folder)
    if lock is None:
        say(f"→ « {folder} » est tenu par un autre serveur : la recherche se fera sans Chroma.")
        yield ""
        return
    server = _Server(folder, lock)
    try:
        server.start()
        say("→ Serveur Chroma : les vecteurs y sont versés…")
        server.fill(settings.index)
    except (BoussoleError, OSError) as error:
        log.warning("chroma server not used: %r", error)
        say("→ Le serveur Chroma ne démarre pas : la recherche se fera sans lui.")
        server.stop()
        yield ""
        return
    threading.Thread(target=server.watch, args=(settings.index,), daemon=True).start()
    try:
        yield server.address
    finally:
        server.stop()


class _Server:
    """`chroma run` on a port of this machine alone."""

    def __init__(self, folder: Path, lock: IO[bytes]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self._folder = folder
        self._lock = lock
        self._running: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._filled = ""

    def start(self) -> None:
        """Start it and wait for its answer. Raises OSError where it gives none."""
        command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(self._folder)]
        self._running = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(self._port)],
            env=os.environ | {"ANONYMIZED_TELEMETRY": "False"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[self._lock.fileno()],
            start_new_session=True,  # Ctrl-C is for us: answers on their way still need it
        )
        deadline = time.monotonic() + START
        while time.monotonic() < deadline and self._running.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/api/v2/heartbeat", timeout=2):  # nosec B310
                    return
            except OSError:
                time.sleep(0.2)
        raise OSError("chroma run did not answer")

    def fill(self, index: Path) -> None:
        """Give it the published generation, and take the others away. Raises BoussoleError."""
        if published(index) == self._filled:
            return
        with closing(Generation.open_published(index)) as generation:
            if serve_generation(generation, self.address):
                log.info("generation given to the chroma server: %s", generation.name)
            self._filled = generation.name
        keep_collections({self._filled}, self.address)

    def watch(self, index: Path) -> None:
        """Keep it running and up to date until `stop`."""
        while not self._stopped.wait(LOOK):
            try:
                if self._running is not None and self._running.poll() is not None:
                    log.warning("chroma server ended with %s: started again", self._running.returncode)
                    self.start()
                self.fill(index)
            except Exception:
                log.warning("chroma server not up to date", exc_info=True)

    def stop(self) -> None:
        self._stopped.set()
        if self._running is not None and self._running.poll() is None:
            self._running.terminate()
            try:
                self._running.wait(10)
            except subprocess.TimeoutExpired:
                self._running.kill()
        self._lock.close()


def _locked(folder: Path) -> IO[bytes] | None:
    """The folder's lock; None where a server that is still alive holds it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = folder.with_name("chroma.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock
