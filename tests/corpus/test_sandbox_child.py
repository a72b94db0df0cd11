"""The reading child alone: what it says of the memory that it took, and when it ends."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from corpus.limits import Limits
from corpus.sandbox import MEMORY_EXIT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes and parents as POSIX has them")
MODULE = ("-m", "corpus.sandbox_child")
CHILD, RUN = "from corpus import sandbox_child as child", "raise SystemExit(child.main())"
MIB = 2**20


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.kill()


def send(process: subprocess.Popen[bytes], path: Path, limits: Limits) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps({"path": str(path), "limits": asdict(limits), "skip": {}}).encode() + b"\n")
    process.stdin.flush()


def ask(process: subprocess.Popen[bytes], path: Path, limits: Limits = Limits()) -> dict[str, Any]:  # noqa: B008 — frozen
    send(process, path, limits)
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def test_a_child_that_has_swollen_says_so_and_ends_beyond_its_limit(tmp_path: Path) -> None:
    """Where the system holds no limit of memory, as on macOS: its own watch does."""
    path = tmp_path / "gone.pdf"
    with started("-c", f"import resource; resource.setrlimit = lambda *_: None; {CHILD}; {RUN}") as child:
        assert ask(child, path)["used_up"] is False
        assert ask(child, path, Limits(memory_bytes=64 * MIB))["used_up"] is True  # an empty one takes some 40
        send(child, path, Limits(memory_bytes=16 * MIB))
        assert child.wait(timeout=20) == MEMORY_EXIT


@pytest.mark.skipif(sys.platform != "linux", reason="macOS ignores the limit of memory")
def test_memory_beyond_the_limit_is_refused_by_the_system(tmp_path: Path) -> None:
    path = tmp_path / "zeros.pdf"
    path.touch()
    os.truncate(path, 600 * MIB)  # which take no place on the disk
    with started(*MODULE) as child:
        assert ask(child, path, Limits(memory_bytes=600 * MIB, file_bytes=700 * MIB)) == {"lost": "memory"}
        assert child.wait(timeout=20) == 0


def test_a_child_ends_once_there_is_nothing_to_ask_it() -> None:
    with started(*MODULE) as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(timeout=20) == 0


def test_a_child_that_is_not_asked_for_long_ends() -> None:
    with started("-c", f"{CHILD}; child.IDLE_SECONDS = 0.0; {RUN}") as child:
        assert child.wait(timeout=20) == 0


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, *{MODULE}])"
    with started("-c", parent) as process:
        ask(process, tmp_path / "gone.pdf")  # the child runs
        process.kill()
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 20)[0], "it still runs"
        assert process.stdout.read() == b""
