"""Retrieval figures against an implementation of a few lines, written from the definitions: equal to 1e-6."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from desk import Desk

from evals.beir import figures, write_trec
from evals.ranking import BY_PAGE, measure
from evals.run import INFO, TREC_QRELS, TREC_RUN

Grades = Mapping[str, int]


def recall(ranked: Sequence[str], grades: Grades, k: int) -> float:
    right = {name for name, grade in grades.items() if grade > 0}
    return len(right & set(ranked[:k])) / len(right) if right else 0.0


def success(ranked: Sequence[str], grades: Grades, k: int) -> float:
    return float(any(grades.get(name, 0) > 0 for name in ranked[:k]))


def reciprocal_rank(ranked: Sequence[str], grades: Grades, k: int) -> float:
    return next((1 / rank for rank, name in enumerate(ranked[:k], 1) if grades.get(name, 0) > 0), 0.0)


def ndcg(ranked: Sequence[str], grades: Grades, k: int) -> float:
    def gain(found: Sequence[int]) -> float:
        return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(found[:k], 1))

    best = gain(sorted(grades.values(), reverse=True))
    return gain([grades.get(name, 0) for name in ranked]) / best if best else 0.0


OWN = {"R": recall, "recall": recall, "Success": success, "RR": reciprocal_rank, "MRR": reciprocal_rank, "nDCG": ndcg}


def own(name: str, ranked: Sequence[str], grades: Grades) -> float:
    measure_name, depth = name.split("@")
    return OWN[measure_name](ranked, grades, int(depth))


def drawn(seed: int) -> tuple[dict[str, dict[str, int]], dict[str, list[str]]]:
    """Qrels with grades from 0 to 3, and a run: some questions find nothing, some aren't in the run, one isn't judged."""
    chance = random.Random(seed)
    names = [f"d{n}" for n in range(chance.choice((5, 40, 300)))]
    qrels = {}
    for n in range(chance.randint(1, 30)):
        judged = chance.sample(names, chance.randint(1, min(9, len(names))))
        qrels[f"q{n}"] = {name: chance.randint(0, 3) for name in judged} | {chance.choice(judged): 1}
    run = {
        q: [] if chance.random() < 0.15 else chance.sample(names, chance.randint(1, len(names)))
        for q in [*qrels, "unjudged"]
        if chance.random() < 0.85
    }
    return qrels, run


@pytest.mark.parametrize("seed", range(40))
def test_random_qrels_and_runs(seed: int) -> None:
    qrels, run = drawn(seed)
    for name, figure in figures(qrels, run).items():
        values = [own(name, run.get(q, []), grades) for q, grades in qrels.items()]
        assert figure.n == len(qrels), name
        assert figure.value == pytest.approx(sum(values) / len(values), abs=1e-6), name


@pytest.mark.parametrize("seed", range(20))
def test_one_question_at_a_time(seed: int) -> None:
    qrels, run = drawn(seed)
    for query, grades in qrels.items():
        relevant = [name for name, grade in grades.items() if grade > 0]
        found = measure(run.get(query, []), relevant, BY_PAGE)
        for name, value in found.items():
            assert value == pytest.approx(own(name, run.get(query, []), dict.fromkeys(relevant, 1)), abs=1e-6), name


def test_nothing_found_at_all_is_zero_everywhere() -> None:
    assert {figure.value for figure in figures({"q": {"d": 1}}, {}).values()} == {0.0}
    assert set(measure([], ["a"], BY_PAGE).values()) == {0.0}


def read_trec(folder: Path, run: str, qrels: str) -> tuple[dict[str, list[str]], dict[str, dict[str, int]]]:
    """As any other program reads them: by score, whatever the order of the lines."""
    scored: dict[str, dict[str, float]] = {}
    for line in (folder / run).read_text(encoding="utf-8").splitlines():
        query, _, name, _, score, _ = line.split()
        scored.setdefault(query, {})[name] = float(score)
    judged: dict[str, dict[str, int]] = {}
    for line in (folder / qrels).read_text(encoding="utf-8").splitlines():
        query, _, name, grade = line.split()
        judged.setdefault(query, {})[name] = int(grade)
    ranked = {query: sorted(found, key=lambda name: -found[name]) for query, found in scored.items()}
    assert all(len(set(found.values())) == len(found) for found in scored.values()), (
        "a tie leaves the order to the reader"
    )
    return ranked, judged


@pytest.mark.parametrize("seed", range(5))
def test_what_beir_writes_gives_its_figures_again(seed: int, tmp_path: Path) -> None:
    qrels, run = drawn(seed)
    write_trec(tmp_path, qrels, run)
    ranked, judged = read_trec(tmp_path, "run.trec", "qrels.trec")
    assert judged == qrels
    for name, figure in figures(qrels, run).items():
        values = [own(name, ranked.get(q, []), grades) for q, grades in judged.items()]
        assert figure.value == pytest.approx(sum(values) / len(values), abs=1e-6), name


@pytest.mark.slow
def test_what_a_run_writes_gives_its_figures_again(accepted_desk: Desk) -> None:
    folder = accepted_desk.folder / "runs" / "01"
    ranked, judged = read_trec(folder, TREC_RUN, TREC_QRELS)
    told = json.loads((folder / INFO).read_text(encoding="utf-8"))["summary"]["metrics"]
    for measured in map(str, BY_PAGE):
        values = [own(measured, ranked.get(q, []), grades) for q, grades in judged.items()]
        assert told[measured]["n"] == len(values)
        assert told[measured]["value"] == pytest.approx(sum(values) / len(values), abs=1e-6), measured
