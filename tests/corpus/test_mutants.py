"""A share of the PDF torture, from a fixed seed: two hundred mutants of our own files through the sandbox."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "torture"))

from pdfs import run

pytestmark = pytest.mark.slow


def test_two_hundred_mutants_of_our_pdfs_harm_nothing() -> None:
    tally = run(200, seed=17, seconds=120)
    assert not tally.broken
    assert sum(tally.tried.values()) >= 40
    assert tally.outcomes["read"]
    assert tally.outcomes["truncated"]
