"""Paired tests, Holm's correction, and what a change is attributed to."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from evals.compare import compare
from evals.outcome import Measured, Outcome
from evals.run import DocumentPrint, RunInfo
from evals.significance import holm, paired_p


def outcome(number: int, facts: float, *, passages: tuple[str, ...] = ("a#1#k1",), answer: str = "") -> Outcome:
    return Outcome(
        id=f"q{number}",
        fingerprint="same",
        question=f"Question {number} ?",
        kind="factual",
        answerable=True,
        issue="answered",
        answer=answer or f"réponse {facts}",
        cited=(("a", 1),),
        passages=passages,
        gold=(("a", 1),),
        values={"facts": facts, "cited_page": 1.0},
    )


def run(outcomes: list[Outcome], *, text: str = "t", chunks: str = "c", code: str = "x", **more: str) -> Measured:
    documents = {"a": DocumentPrint(title="A", pages=1, sha256="s", text=text, chunks=chunks)}
    documents |= {d: DocumentPrint(title=d, pages=1, sha256=d, text=t, chunks=t) for d, t in more.items()}
    info = RunInfo(
        created="2026-11-24T00:00:00+00:00",
        complete=True,
        questions=len(outcomes),
        reference="r",
        index_generation="g",
        index_fingerprint="f",
        model="m",
        llm=None,
        chunking={},
        documents=documents,
        settings={},
        versions={},
        code={"rag": code},
    )
    return Measured(folder="runs/x", info=info, outcomes={o.id: o for o in outcomes})


def test_the_permutation_test_is_exact_for_a_few_differences():
    given = np.array([-1.0, -0.5, -1.0, 0.25, -1.0, 0.0])
    moved = given[given != 0]
    flips = [abs(np.mean(moved * np.array(signs))) for signs in product((1, -1), repeat=len(moved))]
    expected = np.mean([value >= abs(moved.mean()) - 1e-12 for value in flips])
    assert paired_p(given) == pytest.approx(expected)


def test_nothing_that_differs_and_one_difference_prove_nothing():
    assert paired_p(np.zeros(200)) == 1.0
    assert paired_p(np.array([0.0] * 199 + [-1.0])) == 1.0


def test_holm_multiplies_the_smallest_most_and_keeps_the_order():
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == pytest.approx(
        {"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06}
    )


def test_a_loss_on_many_questions_is_a_regression_and_a_few_both_ways_is_not():
    before = run([outcome(n, 1.0) for n in range(60)])
    lost = compare(before, run([outcome(n, 0.0 if n < 15 else 1.0) for n in range(60)]))
    assert [change.metric for change in lost.regressions] == ["facts"]
    assert len(lost.of("wrong")) == 15
    noise = run([outcome(n, 0.0 if n in (1, 2) else 1.0) for n in range(60)])
    assert compare(before, noise).regressions == ()
    assert len(compare(noise, before).of("right")) == 2


def test_a_rewritten_reference_is_not_compared():
    before = run([outcome(1, 1.0), outcome(2, 1.0)])
    after = run([outcome(1, 0.0).model_copy(update={"fingerprint": "other"}), outcome(2, 1.0)])
    found = compare(before, after)
    assert (found.paired, found.rewritten, found.turned) == (1, ("q1",), ())


@pytest.mark.parametrize(
    ("after", "cause", "documents"),
    [
        pytest.param(run([outcome(1, 0.0)]), "composition", (), id="same passages"),
        pytest.param(run([outcome(1, 0.0, passages=("a#1#k2",))], code="y"), "retrieval", (), id="other passages"),
        pytest.param(
            run([outcome(1, 0.0, passages=("a#1#k2",))], chunks="d"), "retrieval", (), id="same text cut otherwise"
        ),
        pytest.param(run([outcome(1, 0.0, passages=("a#1#k2",))], text="u"), "corpus", ("a",), id="document changed"),
        pytest.param(
            run([outcome(1, 0.0, passages=("b#1#k9", "a#1#k1"))], b="new"), "corpus", ("b",), id="document added"
        ),
        pytest.param(
            run([outcome(1, 0.0, passages=("a#1#k3",))], c="new"), "corpus", ("c",), id="weights moved by another one"
        ),
    ],
)
def test_each_change_has_its_cause(after: Measured, cause: str, documents: tuple[str, ...]):
    (turned,) = compare(run([outcome(1, 1.0)]), after).turned
    assert (turned.turn, turned.cause, turned.documents) == ("wrong", cause, documents)
