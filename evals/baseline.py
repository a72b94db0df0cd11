"""The accepted measure: what a new one is compared with. Small, so that it lives in the repository with the questions."""

from __future__ import annotations

import json
from pathlib import Path

from corpus.errors import UsageError
from evals.metrics import HEADLINE
from evals.outcome import OUTCOMES, Measured, open_measured, outcome
from evals.run import INFO, Run, RunInfo, Summary

BASELINE = Path(__file__).parent / "baseline"
HISTORY = "history.jsonl"


def accept(run: Run, folder: Path = BASELINE) -> None:
    """Make a run the baseline, in place of the one before; one line of its headline figures goes to the history."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = run.info.summary
    kept = Summary(metrics=summary.metrics, by_kind={}, by_document={}) if summary else None
    info = run.info.model_copy(update={"summary": kept})
    lines = "".join(outcome(line).model_dump_json(exclude_defaults=True) + "\n" for line in run.lines)
    (folder / OUTCOMES).write_text(lines, encoding="utf-8")
    (folder / INFO).write_text(info.model_dump_json(indent=1) + "\n", encoding="utf-8")
    _remember(folder / HISTORY, run.info)


def open_baseline(folder: Path = BASELINE) -> Measured:
    """The accepted measure. Raises UsageError where nothing has been accepted yet."""
    if not (folder / OUTCOMES).exists() and not (folder / INFO).exists():
        raise UsageError(
            f"Aucune mesure acceptée dans « {folder} ». Faites-en une, relisez son rapport, puis acceptez-la : "
            "evals run, puis evals accept MESURE"
        )
    return open_measured(folder)


def history(folder: Path) -> list[dict[str, object]]:
    """Headline figures of the measures accepted so far, oldest first."""
    path = folder / HISTORY
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def headline(info: RunInfo) -> dict[str, object]:
    """The line of a run in a trend: when, of what, how good."""
    metrics = info.summary.metrics if info.summary else {}
    figures = {
        name: [round(getattr(metrics[name], part), 4) for part in ("value", "low", "high")]
        for name in HEADLINE
        if name in metrics
    }
    return {
        "created": info.created,
        "generation": info.index_generation,
        "questions": info.questions,
        "documents": len(info.documents),
        "figures": figures,
    }


def _remember(path: Path, info: RunInfo) -> None:
    known = history(path.parent)
    line = headline(info)
    if not known or known[-1] != line:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
