"""Reference questions: the contract's form, read from JSONL with errors that name the line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from corpus.errors import UsageError
from rag.answer import Turn

FOLDER = Path(__file__).resolve().parent / "questions"
Purpose = Literal["tuning", "measuring"]


class Question(BaseModel):
    """One reference question; a fact counts as present if any of its variants is in the answer."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    id: str
    question: str
    kind: str
    answerable: bool = True
    history: tuple[Turn, ...] = ()
    document_id: str | None = None
    pages: tuple[int, ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()


def default_sets(purpose: Purpose) -> list[Path]:
    """Our own sets; what tunes never reads the held-out half."""
    dev = FOLDER / "dev.jsonl"
    return [dev] if purpose == "tuning" else [dev, FOLDER / "held_out.jsonl"]


def load(paths: list[Path]) -> list[Question]:
    """Questions of the files, in order. Raises UsageError naming the file and line."""
    found = []
    for path in paths:
        if not path.is_file():
            raise UsageError(f"Fichier de questions introuvable : « {path} ».")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            try:
                found.append(Question.model_validate_json(line))
            except ValidationError as error:
                what = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(str(part) for part in what["loc"])
                raise UsageError(f"{path.name}, ligne {number} : {where} : {what['msg']}.") from None
    return found
