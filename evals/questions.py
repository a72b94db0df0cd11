"""Reference questions: their form (the contract's JSONL), and the one loader, which keeps tuning away from what measures.

`held_out.jsonl` is for measuring only: whatever chooses a weight, a threshold or a word list loads with purpose="tuning",
and is refused that file. A test watches which files tuning opens.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from corpus.errors import UsageError
from rag.answer import Turn

log = logging.getLogger(__name__)

Purpose = Literal["tuning", "measuring"]
QUESTIONS = Path(__file__).parent / "questions"
HELD_OUT = "held_out"


class Part(BaseModel):
    """Where evidence stands: verbatim pieces of some pages of one document (of the corpus, where none is named)."""

    model_config = ConfigDict(frozen=True)

    document_id: str | None = None
    pages: tuple[int, ...] = ()
    evidence: tuple[str, ...] = ()


class Question(Part):
    """One reference question. `facts`: each counts as said if any of its variants is in the answer."""

    id: str
    question: str
    history: tuple[Turn, ...] = ()
    kind: str = "factual"
    answerable: bool = True
    also: tuple[Part, ...] = ()  # evidence in other documents
    facts: tuple[tuple[str, ...], ...] = ()
    answer: str | None = None
    source: str = Field(default="", exclude=True)  # file and line, for messages

    @field_validator("history", mode="before")
    @classmethod
    def _earlier_questions(cls, given: object) -> object:
        """A history may be a bare list of earlier questions."""
        if given is None:
            return ()
        if isinstance(given, (list, tuple)):
            return [{"role": "user", "content": turn} if isinstance(turn, str) else turn for turn in given]
        return given

    @field_validator("question", "id")
    @classmethod
    def _not_empty(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("ne doit pas être vide")
        return text

    @model_validator(mode="after")
    def _something_to_check(self) -> Question:
        if self.answerable and not (self.facts or self.evidence or self.pages):
            raise ValueError(
                "une question qui a une réponse demande facts, evidence ou pages : sans eux, rien à mesurer"
            )
        return self

    @property
    def parts(self) -> tuple[Part, ...]:
        own = (
            (Part(document_id=self.document_id, pages=self.pages, evidence=self.evidence),)
            if self.evidence or self.pages
            else ()
        )
        return own + self.also

    @property
    def fingerprint(self) -> str:
        """Of all that decides the score: two runs compare a question only where this is the same."""
        text = self.model_dump_json(exclude={"source", "answer"})
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_sets(purpose: Purpose) -> list[Path]:
    """Our own sets; for tuning, all but the held-out half."""
    found = sorted(QUESTIONS.glob("*.jsonl"))
    return [path for path in found if purpose == "measuring" or path.stem != HELD_OUT]


def load_questions(paths: Sequence[Path], purpose: Purpose) -> list[Question]:
    """The questions of some files, ids unique. Raises UsageError that names file and line, and for a held-out file where
    the purpose is tuning."""
    if purpose == "tuning":
        for path in paths:
            if path.stem == HELD_OUT or path.resolve() == (QUESTIONS / f"{HELD_OUT}.jsonl").resolve():
                raise UsageError(
                    f"« {path.name} » est la moitié réservée à la mesure : aucun réglage ne doit la lire. "
                    "Donnez dev.jsonl, ou mesurez avec : evals run"
                )
    found: list[Question] = []
    seen: dict[str, str] = {}
    for path in paths:
        for question in _read(path):
            if question.id in seen:
                raise UsageError(
                    f"{question.source} : l'identifiant « {question.id} » est déjà pris ({seen[question.id]}). Changez-en un."
                )
            seen[question.id] = question.source
            found.append(question)
    if not found:
        raise UsageError("Aucune question de référence. Donnez un fichier JSONL : evals run --set FICHIER")
    return found


def _read(path: Path) -> Iterator[Question]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"Fichier de questions introuvable : « {path} ». Vérifiez le chemin donné à --set.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"Fichier de questions illisible : « {path} » (attendu : du JSONL en UTF-8).") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path.name}, ligne {number}"
        try:
            item = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{where} : ce n'est pas du JSON ({error}). Une question par ligne.") from None
        if not isinstance(item, dict):
            raise UsageError(f'{where} : attendu un objet, par exemple {{"id": "q1", "question": "…", …}}.')
        unknown = sorted(set(item) - set(Question.model_fields))
        if unknown:
            log.warning("%s : champ inconnu, laissé de côté : %s", where, ", ".join(unknown))
        try:
            yield Question.model_validate(item | {"source": where})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(map(str, first["loc"])) or "question"
            raise UsageError(f"{where}, champ « {field} » : {_french(first['type'], first['msg'])}.") from None


def _french(kind: str, message: str) -> str:
    known = {
        "missing": "manque",
        "string_type": "attendu un texte",
        "int_parsing": "attendu un nombre entier",
        "int_type": "attendu un nombre entier",
        "tuple_type": "attendu une liste",
        "bool_parsing": "attendu true ou false",
        "bool_type": "attendu true ou false",
    }
    return known.get(kind, message.removeprefix("Value error, "))
