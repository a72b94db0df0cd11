"""The half that measures is never read by what tunes."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from corpus.errors import UsageError
from evals.questions import HELD_OUT, QUESTIONS, default_sets, load_questions

OPENED: list[str] = []


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str):
        OPENED.append(arguments[0])


def test_tuning_opens_every_set_but_the_held_out_half() -> None:
    sys.addaudithook(_watch)
    OPENED.clear()
    tuned = load_questions(default_sets("tuning"), "tuning")
    seen = [path for path in OPENED if path.endswith(".jsonl")]
    assert tuned
    assert seen
    assert not any(HELD_OUT in path for path in seen)


def test_tuning_is_refused_the_held_out_half_even_by_another_name(tmp_path: Any) -> None:
    held = QUESTIONS / f"{HELD_OUT}.jsonl"
    link = tmp_path / "mes-questions.jsonl"
    link.symlink_to(held)
    for path in (held, link):
        with pytest.raises(UsageError, match="réservée à la mesure"):
            load_questions([path], "tuning")


def test_measuring_reads_both_halves() -> None:
    assert {path.stem for path in default_sets("measuring")} >= {"dev", HELD_OUT}
