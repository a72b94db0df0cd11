"""The texts that teach the model to read a question by what would answer it are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.seeking import ITEMS, read


def test_every_item_has_questions_with_and_without_an_answer() -> None:
    items = read()
    assert len(items) > 1000
    assert sum(len(item.no) for item in items) > len(items)
    assert len({item.sentences for item in items}) == len(items)


@pytest.mark.parametrize(
    "line",
    [
        '{"topic": "t", "sentences": ["a"], "yes": [["q", 1]], "no": ["r"]}',
        '{"topic": "t", "sentences": ["a"], "yes": [], "no": ["r"]}',
        '{"topic": "t", "sentences": ["a"], "yes": [["q", 0]], "no": []}',
    ],
)
def test_an_item_that_is_not_whole_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(ITEMS.read_text(encoding="utf-8").splitlines()[0] + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        read(path)
