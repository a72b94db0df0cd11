"""The writer's lock: for one process, that is named, and waited for."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from corpus.errors import IndexBusy
from rag.writer_lock import LOCK, writing


def test_the_lock_is_for_one_says_who_and_is_waited_for(tmp_path: Path) -> None:
    told: list[str] = []
    (tmp_path / LOCK).write_text("99999999 and what an older process left", encoding="utf-8")
    with writing(tmp_path, 0, lambda: told.append("first")):
        assert (tmp_path / LOCK).read_text() == str(os.getpid())
        started = time.monotonic()
        with (
            pytest.raises(IndexBusy, match=rf"\(processus {os.getpid()}\)"),
            writing(tmp_path, 0.7, lambda: told.append("waits")),
        ):
            raise AssertionError("two writers")
        assert time.monotonic() - started >= 0.7
    assert told == ["waits"]
    with writing(tmp_path, 0, lambda: told.append("free again")):
        pass
    assert told == ["waits"]


def test_a_lock_whose_holder_is_unreadable_names_nobody(tmp_path: Path) -> None:
    with writing(tmp_path, 0, lambda: None):
        (tmp_path / LOCK).write_text("?!", encoding="utf-8")
        with (
            pytest.raises(IndexBusy, match=r"écrit déjà dans « [^»]+ »\. Attendez"),
            writing(tmp_path, 0, lambda: None),
        ):
            raise AssertionError("two writers")
