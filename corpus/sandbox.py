"""read_apart: a file is read in a child process, so that no file can stop, fill or hang the process that asks.

A child serves many files, one after the other, and is given up after a file that broke or swelled it; several work side by
side where several threads ask. It says which page it is about to read: where a page kills it, exhausts its memory or takes
too long, the file is read again without that page.
The child gets no settings and no keys in its environment, and answers in JSON (see `corpus/wire.py`).
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from corpus.document import Document
from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.wire import from_wire

MOST_LOST_PAGES = 4  # of one file: each costs a new child
ANSWER_BYTES = 256 * 1024 * 1024  # the longest answer taken from a child: thousands of dense pages
KEPT = 4  # children that wait for a next file
START_SECONDS = 30.0  # for the child's first import on a busy machine
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "TESSDATA_PREFIX",
)
# What an allocation that fails in C++ ends in: abort() in the standard library, a trap or an illegal instruction in PDFium.
OUT_OF_MEMORY = {
    -getattr(signal, name) for name in ("SIGABRT", "SIGTRAP", "SIGILL", "SIGKILL") if hasattr(signal, name)
}
MEMORY_EXIT, TIME_EXIT = 77, 1  # exit statuses of the child's own watches: see corpus/sandbox_child.py


class _Lost(Exception):
    """The child is gone, or had to be ended: the page that it was reading (None: before or after the pages), and why."""

    def __init__(self, code: str, page: int | None) -> None:
        super().__init__(code)
        self.code, self.page = code, page


def read_apart(path: Path, limits: Limits) -> Document:
    """The document at `path`, read by a child within `limits`. Raises ReadError with its code, whatever the file does."""
    skip: dict[int, str] = {}
    started = time.monotonic()
    while True:
        child = _take()
        try:
            document = child.read(path, limits, skip, started)
        except _Lost as lost:
            _give_back(child, ended=True)
            if child.given_up:
                raise ReadError(f"« {path.name} » : lecture interrompue. Relancez.", code="interrupted") from None
            if lost.code == "asleep":
                continue
            if lost.page is None or lost.page in skip or len(skip) >= MOST_LOST_PAGES:
                raise _given_up(path.name, lost.code, limits) from None
            skip[lost.page] = lost.code
        except ReadError:
            _give_back(child)
            raise
        except BaseException:  # Ctrl-C in the parent: the child may be anywhere in the file
            _give_back(child, ended=True)
            raise
        else:
            _give_back(child)
            return document


def _given_up(name: str, code: str, limits: Limits) -> ReadError:
    if code == "timeout":
        return ReadError(
            f"« {name} » : lecture abandonnée, elle dépasse le temps admis ({limits.seconds:.0f} s, plus selon les pages). "
            "Découpez-le, ou enregistrez-le de nouveau en PDF depuis le logiciel d'origine.",
            code="timeout",
        )
    if code == "memory":
        return ReadError(
            f"« {name} » : lecture abandonnée, elle demande plus de {limits.memory_bytes // 2**20} Mo de mémoire. "
            "Découpez-le, ou allégez ses images et ses dessins.",
            code="memory",
        )
    return ReadError(
        f"« {name} » est abîmé : il arrête le lecteur. Demandez-en une autre copie, ou réenregistrez-le depuis le logiciel "
        "d'origine.",
        code="corrupt",
    )


class Child:
    """A reading process, and the thread that hears it."""

    def __init__(self) -> None:
        root = str(Path(__file__).resolve().parents[1])
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "corpus.sandbox_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # Ctrl-C is the parent's; and what the child starts ends with it
        )
        self._heard: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._hear, daemon=True).start()
        self._warm = False
        self.used_up = self.given_up = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None and not self.used_up

    def read(self, path: Path, limits: Limits, skip: Mapping[int, str], started: float) -> Document:
        """Ask for one file. Raises ReadError where the child says so, _Lost where it is gone or must be ended."""
        request = {"path": str(path.absolute()), "limits": asdict(limits), "skip": skip}
        page: int | None = None
        deadline = started + limits.seconds + (0 if self._warm else START_SECONDS)
        page_deadline = deadline
        started_others = False
        served, silent = self._warm, True
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:  # it went to sleep just now
            raise _Lost("asleep", None) from None
        while True:
            try:
                said = self._heard.get(timeout=max(0.0, min(deadline, page_deadline) - time.monotonic()))
            except queue.Empty:
                raise _Lost("timeout", page) from None
            if said is None and served and silent and self._ended_well():  # it was going to sleep as it was asked
                raise _Lost("asleep", None)
            self._warm, silent = True, False
            match said:
                case None:
                    raise _Lost(self._cause(), page)
                case {"pages": int(count)}:
                    deadline += count * limits.seconds_per_page
                case {"more_seconds": float(seconds) | int(seconds)}:  # OCR, which takes its time
                    started_others = True  # programs, of which one may have been left behind
                    deadline, page_deadline = deadline + seconds, time.monotonic() + seconds + limits.seconds
                case {"page": int(number)}:
                    page, page_deadline = number, time.monotonic() + limits.page_seconds
                case {"layout": True}:
                    page, page_deadline = None, deadline
                case {"lost": str(code)}:
                    raise _Lost(code, page)
                case {"error": {"code": str(code), "message": str(message)}, "used_up": bool(used_up)}:
                    self.used_up = used_up or started_others
                    raise ReadError(message, code=code)
                case {"document": dict(document), "used_up": bool(used_up)}:
                    self.used_up = used_up or started_others
                    try:
                        return from_wire(document)
                    except (KeyError, TypeError):
                        raise _Lost("corrupt", None) from None
                case _:
                    raise _Lost("corrupt", page)

    def end(self) -> None:
        """End the process and all that it started; harmless where it has ended."""
        self.used_up = True
        try:
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()
        except (ProcessLookupError, PermissionError):
            pass
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if stream is not None and stream is not self._process.stdout:
                    stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)

    def _hear(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        with contextlib.suppress(OSError, ValueError), stdout:
            while line := stdout.readline(ANSWER_BYTES):
                if not line.endswith(b"\n"):
                    break
                self._heard.put(json.loads(line))
        self._heard.put(None)

    def _ended_well(self) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        return self._process.returncode == 0

    def _cause(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        status = self._process.returncode
        if status in OUT_OF_MEMORY or status == MEMORY_EXIT:
            return "memory"
        return "timeout" if status == TIME_EXIT else "corrupt"


_idle: list[Child] = []
_busy: set[Child] = set()
_lock = threading.Lock()


def _take() -> Child:
    with _lock:
        while _idle:
            child = _idle.pop()
            if child.alive:
                break
            child.end()
        else:
            child = Child()
        _busy.add(child)
        return child


def _give_back(child: Child, *, ended: bool = False) -> None:
    """Keep it for the next file, among as many as work side by side; end the others, and one that is `ended`."""
    with _lock:
        _busy.discard(child)
        if not ended and child.alive and len(_idle) < KEPT:
            _idle.append(child)
            return
    child.end()


def give_up() -> None:
    """End what is being read by other threads: their files fail as « interrupted »."""
    with _lock:
        for child in _busy:
            child.given_up = True
            child.end()


@atexit.register
def close() -> None:
    """End the children that wait; a later read starts others."""
    with _lock:
        while _idle:
            _idle.pop().end()
