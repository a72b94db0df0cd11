"""The maintainers' view, behind a key: last indexings and measures, opinions to review, what the corpus lacks.

It only reads: candidates for the reference questions are made in the browser and downloaded, nothing is written here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, ValidationError

from corpus.errors import BoussoleError
from rag.answer import DocumentInfo
from rag.assistant import Assistant
from rag.generation import MANIFEST
from ui.corpus_commands import TROUBLES, findings_of
from ui.markup import address, read
from ui.sources import open_library

log = logging.getLogger(__name__)
RUNS = Path("runs")  # where `evals run` writes
LATEST = 20  # indexings and measures shown
MOST_ROWS = 500  # opinions and questions shown
SHELL = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Atelier · Boussole 17</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<link rel="icon" href="favicon.ico"><link rel="stylesheet" href="{theme}"><link rel="stylesheet" href="{sheet}">
<script type="module" src="{script}"></script></head>
<body class="wide"><header><a href="./">{logo}<span>Boussole&nbsp;17</span></a></header>
<main><h1>Atelier</h1><p>Pour ceux qui tiennent le corpus&nbsp;: index, mesures, avis.</p>
<form id="key"><label>Clé secrète <input type="password" autocomplete="off" required></label>
<button type="submit">Ouvrir</button></form><p id="told" role="status"></p><div id="rooms"></div></main></body></html>"""


@dataclass(frozen=True)
class Workshop:
    """Who may enter (the secret of a key), and what is kept of opinions and questions, oldest first."""

    admits: Callable[[str], bool]
    opinions: Callable[[], Iterable[Mapping[str, Any]]]


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Indexing(_Read):
    """A generation's own account of itself."""

    name: str
    created: str
    model: str
    counts: dict[str, int]
    failures: list[Any] = []
    page_failures: list[Any] = []


class Measured(_Read):
    value: float
    low: float
    high: float
    n: int


class Summary(_Read):
    metrics: dict[str, Measured]


class Measure(_Read):
    """What run.json says of a run of `evals run`."""

    created: str
    questions: int
    index_generation: str
    model: str
    summary: Summary | None = None


Account = TypeVar("Account", Indexing, Measure)


class Remark(BaseModel):
    """Something that a document lacks."""

    title: str
    lacks: list[str]


class Trouble(BaseModel):
    """What `boussole corpus check` finds about a file, and what to type."""

    kind: str
    file: str
    message: str
    advice: str


class State(BaseModel):
    """All that the view shows. `unchecked` says why the corpus couldn't be checked; empty: it was."""

    indexings: list[Indexing]
    measures: list[Measure]
    remarks: list[Remark]
    troubles: list[Trouble]
    unchecked: str
    opinions: list[dict[str, Any]]
    unanswered: list[dict[str, Any]]
    keeps_questions: bool


def install(app: FastAPI, provider: Callable[[], Assistant], workshop: Workshop) -> None:
    @app.get("/atelier", include_in_schema=False)
    def page() -> HTMLResponse:
        theme, sheet, script = (address(n) for n in ("css/theme.css", "css/sheet.css", "js/atelier.js"))
        return HTMLResponse(SHELL.format(theme=theme, sheet=sheet, script=script, logo=read("logo.svg")))

    @app.get("/atelier.json", include_in_schema=False)
    def state(authorization: Annotated[str, Header()] = "") -> State:
        if not workshop.admits(authorization.removeprefix("Bearer ").strip()):
            raise HTTPException(403)
        return _state(provider(), list(workshop.opinions())[-MOST_ROWS:])


def _state(assistant: Assistant, kept: list[Mapping[str, Any]]) -> State:
    """Newest opinions first; an unanswered question is one that was kept and met an abstention."""
    troubles, unchecked = _troubles(assistant)
    return State(
        indexings=_accounts(assistant.generation.folder.parent.glob(f"*/{MANIFEST}"), Indexing),
        measures=[m for m in _accounts(RUNS.glob("*/run.json"), Measure) if m.summary],
        remarks=[r for r in map(_remark, assistant.documents) if r.lacks],
        troubles=troubles,
        unchecked=unchecked,
        opinions=[dict(row) for row in reversed(kept) if row["rating"] is not None],
        unanswered=[dict(row) for row in reversed(kept) if row["status"] == "abstained"],
        keeps_questions=assistant.settings.log_questions,
    )


def _accounts(paths: Iterable[Path], form: type[Account]) -> list[Account]:
    """The accounts that can be read, oldest first, the LATEST of them."""
    found = []
    for path in paths:
        try:
            found.append(form.model_validate(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, ValidationError) as error:
            log.warning("%s not shown: %s", path.parent.name, type(error).__name__)
    return sorted(found, key=lambda account: account.created)[-LATEST:]


def _troubles(assistant: Assistant) -> tuple[list[Trouble], str]:
    """The findings of `boussole corpus check`, and why there are none where it couldn't be done."""
    try:
        found = findings_of(open_library(assistant.settings), assistant.settings)
    except (BoussoleError, OSError) as error:
        log.warning("corpus not checked: %s", type(error).__name__)
        return [], str(error) if isinstance(error, BoussoleError) else "Un fichier du corpus n’a pas pu être lu."
    return [Trouble(kind=TROUBLES[f.kind], file=f.file, message=f.message, advice=f.advice) for f in found], ""


def _remark(document: DocumentInfo) -> Remark:
    lacks = {
        "date": document.date,
        "éditeur ou auteur": document.publisher or document.authors,
        "licence": document.licence,
        "fichier": document.has_file,
    }
    return Remark(title=document.title, lacks=[name for name, held in lacks.items() if not held])
