"""`evals draft DOCUMENT` and `evals draft --feedback FILE`: from a document or from what people asked, to references."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from corpus.errors import UsageError
from evals.options import assistant, index_option, json_option, settings_for


@click.command(
    help="Proposer des questions de référence pour un document, ou depuis les avis reçus ; vous les relisez."
)
@click.argument("document", required=False)
@click.option(
    "--feedback", type=click.Path(path_type=Path), help="Avis exportés (JSONL) : une question posée par ligne."
)
@index_option
@click.option("-n", "wanted", default=20, show_default=True, help="Nombre de questions à garder au plus.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Fichier où écrire (par défaut evals/questions/reviewed.jsonl)."
)
@json_option
def draft(
    document: str | None, feedback: Path | None, index: Path | None, wanted: int, out: Path | None, as_json: bool
) -> None:
    """With --json, the candidates are listed and nothing is asked nor written."""
    from evals.questions import default_sets, load_questions
    from evals.review import REVIEWED, Reviewed

    if (document is None) == (feedback is None):
        raise UsageError("Donnez un document, ou des avis avec --feedback FICHIER : evals draft DOCUMENT")
    known = load_questions(default_sets("measuring"), "measuring")
    if document is not None and as_json:
        _list(document, index, known)
        return
    reviewed = Reviewed(out or REVIEWED, (question.id for question in known))
    try:
        if document is not None:
            _from_document(document, index, [*known, *reviewed.known], reviewed, wanted)
        else:
            assert feedback is not None
            _from_feedback(feedback, index, reviewed)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nInterrompu ; ce qui est gardé est écrit.", err=True)
    click.echo(f"{reviewed.added} question(s) écrite(s) dans {reviewed.path}")
    if reviewed.added:
        click.echo("Ensuite : evals gate (elles y seront posées).")


def _list(document: str, index: Path | None, known: list[Any]) -> None:
    from evals.corpus_pages import opened
    from evals.draft import candidates
    from evals.review import as_line

    with opened(settings_for(index).index) as (generation, _):
        for found in candidates(generation, _identifier(document), known):
            click.echo(as_line(found))


def _from_document(document: str, index: Path | None, known: list[Any], reviewed: Any, wanted: int) -> None:
    from evals.corpus_pages import opened
    from evals.draft import candidates
    from evals.review import review

    with opened(settings_for(index).index) as (generation, book):
        found = candidates(generation, _identifier(document), known)
        if not found:
            raise UsageError(
                f"Aucune question à proposer pour « {document} » : écrivez-en à la main dans {reviewed.path} (docs/evals.md)."
            )
        review(found, reviewed, book, wanted)


def _from_feedback(path: Path, index: Path | None, reviewed: Any) -> None:
    from evals.anchors import PageBook
    from evals.review import review_feedback

    rows = list(_rows(path))
    if not rows:
        raise UsageError(
            f"« {path} » ne contient aucune question. Les questions ne sont gardées que si BOUSSOLE_LOG_QUESTIONS est à true."
        )
    rows.sort(key=lambda row: int(row.get("rating") or 0))  # what displeased first
    opened = assistant(index)
    review_feedback(rows, opened.ask, reviewed, PageBook.of(opened))


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"Fichier d'avis introuvable ou illisible : « {path} ».") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise UsageError(f"{path.name}, ligne {number} : ce n'est pas du JSON. Un avis par ligne.") from None
        if isinstance(row, dict) and str(row.get("question") or "").strip():
            yield row


def _identifier(document: str) -> str:
    """A document's id; a file name is accepted in its place."""
    from corpus.slug import slug

    path = Path(document)
    return slug(path.stem) if path.suffix else document
