"""The report: one HTML file that needs no network, in French, readable on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from pydantic import ValidationError

from evals import plots
from evals.anchors import Spot
from evals.baseline import headline, history
from evals.compare import Comparison
from evals.compare_text import CAUSES, ISSUES, TURNS, corpus_words, sentence
from evals.gate import Verdict
from evals.intervals import Figure
from evals.judge import JUDGED, Judgement
from evals.kinds import kind_label
from evals.matching import holds_fact
from evals.metrics import BY_NAME, HEADLINE, METRICS, Metric
from evals.observe import Line
from evals.questions import Question
from evals.run import INFO, PAGES, REPORT, Run, RunInfo
from evals.significance import SMALLEST
from evals.summary import french, shown

TEMPLATES = Path(__file__).parent / "templates"
TABLE = ("facts", "cited_page", "R@5", "answered", "abstained")


@dataclass(frozen=True)
class Trouble:
    """A question that went wrong, with what is wrong with it."""

    line: Line
    problems: tuple[str, ...]
    facts: tuple[tuple[str, bool], ...]


def write_report(
    run: Run, comparison: Comparison | None = None, verdict: Verdict | None = None, baseline: Path | None = None
) -> Path:
    """Write the run's report; beside the accepted measure, and under the gate's verdict, where there is one."""
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(page_id=page_id, kind=kind_label, issues=ISSUES, turns=TURNS, causes=CAUSES)
    environment.filters["spaced"] = spaced
    path = run.folder / REPORT
    fields = _fields(run, comparison, verdict, baseline)
    path.write_text(environment.get_template("report.html").render(**fields), encoding="utf-8")
    return path


def _fields(run: Run, comparison: Comparison | None, verdict: Verdict | None, baseline: Path | None) -> dict[str, Any]:
    summary = run.info.summary
    assert summary is not None
    past = _past(run, baseline)
    trend, legend = plots.trend(past) if len(past) > 1 else ("", [])
    risk, risk_words = plots.risk(run.lines)
    titles = {d: found.title for d, found in run.info.documents.items()}
    troubles = [t for t in map(trouble, run.lines) if t.problems]
    return {
        "run": run,
        "info": run.info,
        "titles": titles,
        "headline": [_card(name, summary.metrics[name], comparison) for name in HEADLINE if name in summary.metrics],
        "labels": {metric.name: metric.label for metric in METRICS},
        "metrics": [_row(m.name, summary.metrics[m.name]) for m in METRICS if m.name in summary.metrics],
        "columns": [(name, BY_NAME[name].label) for name in TABLE],
        "by_kind": [(kind_label(k), _cells(f)) for k, f in summary.by_kind.items()],
        "by_document": [(titles.get(d, d), _cells(f)) for d, f in summary.by_document.items()],
        "plots": {
            "recall": plots.recall(summary.metrics),
            "risk": risk,
            "latency": plots.latency(run.lines),
            "trend": trend,
        },
        "risk_words": risk_words,
        "legend": legend,
        "troubles": troubles,
        "kinds": sorted({t.line.question.kind for t in troubles}),
        "documents": sorted({d for t in troubles for d in t.line.documents}),
        "problems": sorted({p for t in troubles for p in t.problems}),
        "pages": _pages(run),
        "comparison": comparison,
        "comparison_sentence": sentence(comparison) if comparison else "",
        "corpus_words": list(corpus_words(comparison.corpus)) if comparison else [],
        "verdict": verdict,
        "judge": _judgement(run.folder),
    }


def trouble(line: Line) -> Trouble:
    """What is wrong with an answer, in words that the filter offers."""
    answer = line.answer
    said = answer.answer if answer is not None and answer.status == "answered" else ""
    facts = tuple((" ou ".join(variants), holds_fact(said, variants)) for variants in line.question.facts)
    return Trouble(line, tuple(_problems(line)), facts)


def _problems(line: Line) -> Iterator[str]:
    values, question = line.values, line.question
    if line.error is not None:
        yield "échec de l'assistant"
    elif question.answerable and values.get("answered") == 0:
        yield "pas de réponse"
    elif question.answerable and values.get("facts", 1.0) < 1:
        yield "fait manquant"
    if question.answerable and values.get("cited_page") == 0 and values.get("answered") != 0:
        yield "mauvaise page citée"
    if question.answerable and values.get("R@5", 1.0) < 1:
        yield "page non retrouvée"
    if not question.answerable and values.get("abstained") == 0:
        yield "aurait dû s'abstenir"
    if values.get("verbatim", 1.0) < 1:
        yield "citation qui n'est pas mot pour mot"
    if values.get("unsupported_numbers", 0.0) > 0:
        yield "nombre sans preuve"
    if values.get("falsified_rejected", 1.0) < 1:
        yield "phrase falsifiée acceptée"
    if any(anchor.state in ("changed", "gone") for anchor in line.anchors):
        yield "référence à revoir"


def spaced(text: str) -> str:
    """French spaces that no line ends at: inside « », before « : ; ! ? % »."""
    return re.sub(r"(?<=«) | (?=[»:;!?%])", "\u00a0", text)


def page_id(document_id: str, page: int) -> str:
    """The id of a page in the report, for links."""
    return f"page-{re.sub(r'[^a-zA-Z0-9_-]', '-', document_id)}-{page}"


def _row(name: str, figure: Figure) -> dict[str, Any]:
    metric: Metric = BY_NAME[name]
    return {"name": name, "label": metric.label, "shown": shown(figure, metric), "n": figure.n, "paper": metric.paper}


def _card(name: str, figure: Figure, comparison: Comparison | None) -> dict[str, Any]:
    """A headline figure in percent, with its change since the accepted measure."""
    found = _row(name, figure)
    found |= {part: percent(getattr(figure, part)) for part in ("value", "low", "high")}
    found["low"] = found["low"].removesuffix("\u00a0%")
    found["change"] = None
    for change in comparison.changes if comparison else ():
        if change.metric == name:
            points = french(f"{100 * change.difference:+.1f}").replace("-", "−")
            words = "comme avant" if abs(change.difference) < SMALLEST else f"{points} points"
            found["change"] = {"verdict": change.verdict, "words": words}
    return found


def percent(share: float) -> str:
    return french(f"{100 * share:.1f}").removesuffix(",0") + "\u00a0%"


def _cells(figures: dict[str, Figure]) -> list[str]:
    return [shown(figures[name], BY_NAME[name]) if name in figures else "–" for name in TABLE]


def _pages(run: Run) -> list[dict[str, Any]]:
    path = run.folder / PAGES
    if not path.exists():
        return []
    wanted = _wanted(run.lines)
    found = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [page for page in found if (page["document_id"], page["page"]) in wanted]


def _wanted(lines: Sequence[Line]) -> set[Spot]:
    """The pages that the list of failures opens."""
    troubled = [line for line in lines if any(_problems(line))]
    cited = {(c.document_id, c.page) for line in troubled if line.answer for c in line.answer.citations}
    return cited | {spot for line in troubled for spot in line.gold}


def _past(run: Run, baseline: Path | None) -> list[dict[str, Any]]:
    """Headline figures of the measures accepted so far, of the runs beside this one, and of this one, oldest first."""
    found: list[dict[str, Any]] = list(history(baseline)) if baseline else []
    for path in run.folder.resolve().parent.glob(f"*/{INFO}"):
        try:
            info = RunInfo.model_validate_json(path.read_text(encoding="utf-8"))
        except (ValidationError, OSError):
            continue
        if info.complete and info.questions == run.info.questions:
            found.append(headline(info))
    if all(one["created"] != run.info.created for one in found):
        found.append(headline(run.info))
    by_date = {str(one["created"]): one for one in found if str(one["created"]) <= run.info.created}
    return [by_date[date] for date in sorted(by_date)][-30:]


def _judgement(folder: Path) -> Judgement | None:
    path = folder / JUDGED
    return Judgement.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else None


def expected(question: Question) -> str:
    return question.answer or ("" if question.answerable else "Une abstention ou un refus.")
