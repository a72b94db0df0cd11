"""What is kept of a question to compare two runs: its verdict, what was shown, what was cited, its figures.

A run's line holds all; an accepted baseline, which lives in the repository, holds only this.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from corpus.errors import UsageError
from evals.anchors import Spot, State
from evals.metrics import BY_NAME
from evals.observe import Line, Shown
from evals.run import INFO, RunInfo, open_run

OUTCOMES = "outcomes.jsonl"
KEPT_PASSAGES = 10
Issue = Literal["answered", "abstained", "refused", "failed"]


class Outcome(BaseModel):
    """One question of a run, short enough to be kept for years."""

    model_config = ConfigDict(frozen=True)

    id: str
    fingerprint: str
    question: str
    history: tuple[str, ...] = ()
    kind: str
    answerable: bool
    issue: Issue
    answer: str
    cited: tuple[Spot, ...] = ()
    passages: tuple[str, ...] = ()  # `document#page#key`, best first
    gold: tuple[Spot, ...] = ()
    states: tuple[State, ...] = ()  # of each piece of evidence
    values: dict[str, float]

    @property
    def mark(self) -> float:
        """How right the answer is, 0 to 1: expected facts said; a page of the evidence cited, where no fact is asked;
        abstention, where the corpus doesn't say."""
        if not self.answerable:
            return self.values.get("abstained", 0.0)
        return self.values.get("facts", self.values.get("cited_page", 0.0))

    @property
    def documents(self) -> tuple[str, ...]:
        """The documents that a right answer rests on."""
        return tuple(dict.fromkeys(spot[0] for spot in self.gold))


class Measured(BaseModel):
    """A run or a baseline, read for comparison."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    info: RunInfo
    outcomes: dict[str, Outcome]


def outcome(line: Line) -> Outcome:
    answer = line.answer
    return Outcome(
        id=line.id,
        fingerprint=line.fingerprint,
        question=line.question.question,
        history=tuple(turn.content for turn in line.question.history if turn.role == "user"),
        kind=line.question.kind,
        answerable=line.question.answerable,
        issue=answer.status if answer is not None else "failed",
        answer=answer.answer if answer is not None else line.error or "",
        cited=tuple(dict.fromkeys((c.document_id, c.page) for c in answer.citations)) if answer is not None else (),
        passages=tuple(_passage(shown) for shown in line.passages[:KEPT_PASSAGES]),
        gold=line.gold,
        states=tuple(anchor.state for anchor in line.anchors),
        values={name: round(v, 6) for name, v in line.values.items() if name in BY_NAME and BY_NAME[name].unit != "ms"},
    )


def measured(info: RunInfo, lines: tuple[Line, ...], folder: Path) -> Measured:
    return Measured(folder=folder, info=info, outcomes={line.id: outcome(line) for line in lines})


def open_measured(folder: Path) -> Measured:
    """A run's folder or an accepted baseline. Raises UsageError where the folder holds neither."""
    kept = folder / OUTCOMES
    if not kept.exists():
        run = open_run(folder)
        return measured(run.info, run.lines, folder)
    try:
        info = RunInfo.model_validate_json((folder / INFO).read_text(encoding="utf-8"))
        lines = kept.read_text(encoding="utf-8").splitlines()
        found = [Outcome.model_validate_json(line) for line in lines if line.strip()]
    except (FileNotFoundError, ValidationError):
        raise UsageError(
            f"La mesure acceptée de « {folder} » est abîmée ou d'une autre version. Refaites-la : evals accept MESURE"
        ) from None
    return Measured(folder=folder, info=info, outcomes={o.id: o for o in found})


def _passage(shown: Shown) -> str:
    return f"{shown.document_id}#{shown.page}#{shown.key}"
