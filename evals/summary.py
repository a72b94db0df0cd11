"""A run said in a terminal, and as one JSON object."""

from __future__ import annotations

from typing import Any

from evals.intervals import Figure
from evals.kinds import kind_label
from evals.metrics import BY_NAME, METRICS, Metric
from evals.run import REPORT, Run

MAIN = ("facts", "cited_page", "R@5", "abstained", "answered")


def as_object(run: Run) -> dict[str, Any]:
    """The JSON of `evals run`: settings and corpus, figures with intervals, by kind and by document."""
    fields = run.info.model_dump(mode="json", exclude={"summary", "documents"})
    summary = run.info.summary.model_dump(mode="json") if run.info.summary else {}
    return {"run": str(run.folder), "report": str(run.folder / REPORT)} | fields | summary


def as_text(run: Run) -> str:
    info, summary = run.info, run.info.summary
    assert summary is not None
    out = [
        f"{info.questions} questions, génération {info.index_generation}, {info.seconds:.0f} s, {info.memory_mb:.0f} Mo"
    ]
    if info.failed:
        out.append(f"{info.failed} question(s) où l'assistant a échoué : comptées au pire.")
    out += [
        f"  {metric.name:<22} {shown(summary.metrics[metric.name], metric):<26} n = {summary.metrics[metric.name].n:<4} {metric.label}"
        for metric in METRICS
        if metric.name in summary.metrics
    ]
    out.append("Par genre de question :")
    for kind, figures in summary.by_kind.items():
        parts = [f"{name} {shown(figures[name], BY_NAME[name])}" for name in MAIN if name in figures]
        out.append(f"  {kind_label(kind):<28} {' ; '.join(parts)}")
    out.append(f"Rapport : {run.folder / REPORT}")
    return "\n".join(out)


def shown(figure: Figure, metric: Metric) -> str:
    """A figure as French people write it, with its interval."""
    if metric.unit:
        return french(f"{figure.value:.1f} [{figure.low:.1f} – {figure.high:.1f}]") + f" {metric.unit}"
    return french(f"{figure.value:.3f} [{figure.low:.3f} – {figure.high:.3f}]")


def counted(number: int, one: str, many: str) -> str:
    """« 1 réponse », « 3 réponses »; 0 is singular in French."""
    return f"{number} {one if number < 2 else many}"


def french(number: str) -> str:
    return number.replace(".", ",")
