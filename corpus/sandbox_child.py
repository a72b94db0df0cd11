"""The child of `corpus/sandbox.py`: reads the files that it is asked for on stdin, within limits, and answers on stdout.

A line of JSON each: {"pages": n} once their number is known, {"page": i} before each, {"layout": true} after the last, then one
of {"document": …}, {"error": {"code", "message"}}, {"lost": "memory"}.
"""

from __future__ import annotations

import faulthandler
import json
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.read import read_here
from corpus.wire import to_wire

IDLE_SECONDS = 60.0  # without a request: a server that indexes once a month keeps no child
MEMORY_EXIT = 77
WATCH_SECONDS = 0.2
SWOLLEN = 0.4  # of the memory limit: a child that has grown so much is not used again

try:
    import resource
except ImportError:  # Windows: no limit of memory there but the parent's patience
    resource = None  # type: ignore[assignment]


def main() -> int:
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # what a library prints must not pass for an answer
    hush = os.fdopen(silence, "w")
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()

    def say(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message).encode() + b"\n")
        answers.flush()

    while request := _next_request():
        limits = Limits(**request["limits"])
        _limit(limits)
        try:
            # A C thread, which no loop in C can hold up: the last resort should the parent be gone.
            faulthandler.dump_traceback_later(3 * limits.seconds + 3600, exit=True, file=hush)
        except RuntimeError:  # no room left for a thread
            say({"lost": "memory"})
            return 0
        try:
            say(_answer(request, limits, say))
        except MemoryError:
            say({"lost": "memory"})
            return 0
        faulthandler.cancel_dump_traceback_later()
    return 0


def _answer(request: dict[str, Any], limits: Limits, say: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    skip = {int(page): str(code) for page, code in request["skip"].items()}
    try:
        document = read_here(Path(request["path"]), limits=limits, skip=skip, report=say)
        answer: dict[str, Any] = {"document": to_wire(document)}
    except ReadError as error:
        answer = {"error": {"code": error.code, "message": str(error)}}
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 — of any class: pypdf lets them all through
        name = Path(request["path"]).name
        message = (
            f"« {name} » est abîmé, sa lecture échoue ({type(error).__name__}). Demandez-en une autre copie, "
            "ou réenregistrez-le depuis le logiciel d'origine."
        )
        answer = {"error": {"code": "corrupt", "message": message}}
    return {**answer, "used_up": _peak_bytes() > SWOLLEN * limits.memory_bytes}


def _next_request() -> dict[str, Any] | None:
    if os.name == "posix" and not select.select([sys.stdin], [], [], IDLE_SECONDS)[0]:
        return None
    line = sys.stdin.buffer.readline()
    return json.loads(line) if line else None


def _limit(limits: Limits) -> None:
    if resource is None:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    global _most_bytes
    _most_bytes = limits.memory_bytes


_most_bytes = sys.maxsize


def _peak_bytes() -> int:
    """The most memory that this process has held. `ru_maxrss` also counts what its parent held when it was started."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if sys.platform == "darwin" else 0


def _watch_parent(parent: int) -> None:
    """End with the parent, and beyond the memory limit where the system doesn't hold it (macOS ignores RLIMIT_AS)."""
    while True:
        time.sleep(WATCH_SECONDS)
        if os.getppid() != parent:
            os._exit(0)
        if _peak_bytes() > _most_bytes:
            os._exit(MEMORY_EXIT)


if __name__ == "__main__":
    raise SystemExit(main())
