"""Calls that OCR misread are righted by the numbering of the others."""

from __future__ import annotations

import pytest

from corpus.notes import settle_calls


@pytest.mark.parametrize(
    ("calls", "pages", "expected"),
    [
        (["1", "2", "3"], [1, 1, 2], ["1", "2", "3"]),
        (["10", "11", "2", "", "4", "15"], [1, 1, 1, 1, 1, 2], ["10", "11", "12", "13", "14", "15"]),
        (["1", None, "2"], [1, 1, 1], ["1", None, "2"]),
        (["1", "2", "1", "2", "1"], [1, 1, 2, 2, 3], ["1", "2", "1", "2", "1"]),
        (["1", "2", "5", "6"], [1, 1, 2, 2], ["1", "2", "5", "6"]),
        (["1", "2", "8", "4", "5"], [1, 1, 1, 1, 1], ["1", "2", "3", "4", "5"]),
        ([], [], []),
    ],
    ids=["sound", "lost figures", "a list of links", "anew on each page", "notes without text", "misread", "none"],
)
def test_calls_are_settled(calls: list[str | None], pages: list[int], expected: list[str | None]) -> None:
    assert settle_calls(calls, pages) == expected
