"""A run: every reference question asked, one line a question, and the means with their intervals."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evals.bootstrap import interval
from evals.figures import measure
from evals.questions_file import Question
from rag.assistant import Assistant
from rag.condense import condense

METRICS = (
    "recall@1",
    "recall@5",
    "facts",
    "cited_page",
    "quotes",
    "sentences_cited",
    "numbers",
    "answered",
    "abstained",
)


@dataclass(frozen=True)
class Line:
    """One question of a run: what was measured of it, and the answer given."""

    question: Question
    values: dict[str, float]
    answer: dict[str, Any]


def ask_all(
    assistant: Assistant, questions: Sequence[Question], done: Callable[[int], None] = lambda _: None
) -> list[Line]:
    lines = []
    for i, question in enumerate(questions, 1):
        passages = assistant.search(condense(question.question, question.history), 5).passages
        answer = assistant.ask(question.question, question.history)

        def page_text(document_id: str, number: int) -> str:
            page = assistant.page(document_id, number)
            return page.text if page else ""

        values = measure(question, passages, answer, page_text)
        lines.append(Line(question, values, answer.model_dump(mode="json")))
        done(i)
    return lines


def summarise(lines: Sequence[Line]) -> dict[str, Any]:
    """Means with intervals, over all questions and by kind; words and milliseconds as percentiles."""
    metrics = {}
    for name in METRICS:
        values = [line.values[name] for line in lines if name in line.values]
        if values:
            mean, low, high = interval(values)
            metrics[name] = {"mean": mean, "low": low, "high": high, "n": len(values)}
    kinds = {}
    for kind in sorted({line.question.kind for line in lines}):
        name = "facts" if any("facts" in line.values for line in lines if line.question.kind == kind) else "abstained"
        values = [line.values[name] for line in lines if line.question.kind == kind and name in line.values]
        if values:
            mean, low, high = interval(values)
            kinds[kind] = {"metric": name, "mean": mean, "low": low, "high": high, "n": len(values)}
    times = sorted(line.values["ms"] for line in lines)
    words = sorted(line.values["words"] for line in lines if "words" in line.values)
    return {
        "questions": len(lines),
        "metrics": metrics,
        "kinds": kinds,
        "words_median": words[len(words) // 2] if words else None,
        "ms_p50": times[len(times) // 2] if times else None,
        "ms_p95": times[int(len(times) * 0.95)] if times else None,
    }


def write(folder: Path, assistant: Assistant, lines: Sequence[Line], summary: dict[str, Any]) -> None:
    """The run's folder: run.json (what was asked of what, and the figures) and answers.jsonl."""
    folder.mkdir(parents=True, exist_ok=True)
    run = {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "index_generation": assistant.generation.name,
        "model": assistant.generation.model,
        "documents": {d.id: d.sha256 for d in assistant.documents},
        "summary": summary,
    }
    (folder / "run.json").write_text(json.dumps(run, ensure_ascii=False, indent=1), encoding="utf-8")
    with (folder / "answers.jsonl").open("w", encoding="utf-8") as file:
        for line in lines:
            item = {"question": line.question.model_dump(mode="json"), "values": line.values, "answer": line.answer}
            file.write(json.dumps(item, ensure_ascii=False) + "\n")
