"""The commands of `boussole`. Results on stdout, the rest on stderr; exit 0 done, 1 something failed, 2 wrong usage."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from corpus.errors import BoussoleError, ConfigurationError, IndexMissing, UsageError
from ui.chat_command import chat
from ui.corpus_commands import corpus
from ui.doctor_command import doctor
from ui.keys_commands import register as add_keys
from ui.options import index_option, json_option
from ui.serve_command import serve

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from rag.embedding import Encoder
    from rag.index import IndexReport
    from rag.settings import Settings


class Commands(click.Group):
    """Shows our errors once, in French, with the exit status of the contract."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BoussoleError as error:
            click.echo(f"Erreur : {error}", err=True)
            ctx.exit(2 if isinstance(error, (UsageError, ConfigurationError, IndexMissing)) else 1)


@click.group(cls=Commands, help="Boussole 17 : questionner le corpus ODD 17 et vérifier chaque réponse à sa page.")
@click.version_option(package_name="boussole17", prog_name="boussole")
def main() -> None:
    pass


for command in (serve, chat, corpus, doctor):
    main.add_command(command)
add_keys(main)


@main.command(help="Lire, nettoyer, découper, indexer et publier les documents ; seul ce qui a changé est refait.")
@click.option(
    "--source", "sources", type=click.Path(path_type=Path), multiple=True, help="Fichier ou dossier ; répétable."
)
@index_option
@click.option("--rebuild", is_flag=True, help="Tout refaire.")
@click.option("--retry-failed", is_flag=True, help="Relire aussi les fichiers et les pages qui avaient échoué.")
@json_option
def index(sources: tuple[Path, ...], index: Path | None, rebuild: bool, retry_failed: bool, as_json: bool) -> None:
    from dataclasses import asdict

    from rag.index import NothingRead, build
    from ui.progress import indexing
    from ui.sources import default_sources, describer, open_library

    settings = _settings(index)
    library = open_library(settings)
    with indexing(sys.stderr) as progress:

        def load() -> Encoder:
            from rag.embedding import load_encoder

            return load_encoder(settings, progress.say)

        try:
            report = build(
                sources or default_sources(settings, library),
                settings.index,
                load,
                settings.embedding_model,
                rebuild=rebuild,
                retry_failed=retry_failed,
                metadata=describer(library),
                chroma_url=settings.chroma_url,
                progress=progress.advance,
            )
        except NothingRead as error:
            if as_json:
                failures = [asdict(f) for f in error.failures]
                click.echo(
                    json.dumps({"error": error.code, "detail": str(error), "failures": failures}, ensure_ascii=False)
                )
            raise
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        state = "publiée" if report.published else "inchangée"
        click.echo(
            f"Génération {report.generation} {state} : {report.documents} documents, {report.pages} pages, "
            f"{report.chunks} passages ({report.embedded} nouveaux) en {report.seconds:.1f} s."
        )
        _tell_apart(report)
    if report.failures:
        sys.exit(1)


@main.command(help="Poser une question : une réponse courte, ses citations, leurs pages.")
@click.argument("question", required=False)
@click.option(
    "--batch", type=click.File(encoding="utf-8"), help="Questions en JSONL : {id, question, history?} par ligne."
)
@click.option("--history", type=click.File(encoding="utf-8"), help="Conversation : [{role, content}], en JSON.")
@click.option("--document", "documents", multiple=True, help="Identifiant d'un document auquel se limiter ; répétable.")
@index_option
@click.option("--plain", is_flag=True, help="Texte nu, sans couleur ni coupure de ligne.")
@json_option
def ask(
    question: str | None,
    batch: TextIO | None,
    history: TextIO | None,
    documents: tuple[str, ...],
    index: Path | None,
    plain: bool,
    as_json: bool,
) -> None:
    from rag.answer import Turn
    from ui.terminal import plain_answer, show_answer

    settings = _settings(index)
    if (question is None) == (batch is None):
        raise UsageError("Donnez une question, ou un fichier de questions avec --batch.")
    if batch is not None:
        lines = list(_batch(batch))
        assistant = _assistant(settings)
        for line in lines:
            answer = assistant.ask(line["question"], _turns(line.get("history") or []), documents)
            fields = answer.model_dump(mode="json") | ({"id": line["id"]} if "id" in line else {})
            click.echo(json.dumps(fields, ensure_ascii=False))
        return
    turns: list[Turn] = _turns(json.load(history)) if history else []
    assert question is not None
    assistant = _assistant(settings)
    answer = assistant.ask(question, turns, documents)
    if as_json:
        click.echo(answer.model_dump_json())
    elif plain:
        click.echo(plain_answer(answer))
    else:
        show_answer(answer, locate=assistant.file)


@main.command(help="Chercher des passages, sans réponse.")
@click.argument("query", required=False)
@click.option("-k", "count", type=click.IntRange(1, 100), default=5, show_default=True, help="Nombre de passages.")
@click.option("--batch", type=click.File(encoding="utf-8"), help="Requêtes en JSONL : {id, question} par ligne.")
@click.option("--document", "documents", multiple=True, help="Identifiant d'un document auquel se limiter ; répétable.")
@index_option
@json_option
def search(
    query: str | None, count: int, batch: TextIO | None, documents: tuple[str, ...], index: Path | None, as_json: bool
) -> None:
    from rag.condense import condense
    from ui.terminal import show_passages

    settings = _settings(index)
    if (query is None) == (batch is None):
        raise UsageError("Donnez une requête, ou un fichier de requêtes avec --batch.")
    if batch is not None:
        lines = list(_batch(batch))
        assistant = _assistant(settings)
        for line in lines:
            standalone = condense(line["question"], _turns(line.get("history") or []))
            result = assistant.search(standalone, count, documents)
            fields = {"id": line["id"]} if "id" in line else {}
            click.echo(json.dumps(fields | result.model_dump(mode="json"), ensure_ascii=False))
        return
    assert query is not None
    result = _assistant(settings).search(query, count, documents)
    if as_json:
        click.echo(result.model_dump_json())
    else:
        show_passages(result)


def _tell_apart(report: IndexReport) -> None:
    """What the answers will lack, and why; on stderr."""
    if report.repaired:
        click.echo("  l'index publié était abîmé : tout a été refait", err=True)
    for failure in (*report.failures, *report.page_failures):
        click.echo(f"  [{failure.code}] {failure.path} : {failure.message}", err=True)
    for old in report.superseded:
        when = f" ({old.by_date})" if old.by_date else ""
        click.echo(f"  remplacé par « {old.by_title} »{when}, {old.by} : {old.path}", err=True)
    for path in report.skipped:
        click.echo(f"  laissé de côté (texte de travail ou d'accompagnement) : {path}", err=True)
    for path in report.duplicates:
        click.echo(f"  même fichier : {path}", err=True)
    if report.failures:
        click.echo("  Que faire de chaque code : docs/corpus.md", err=True)


def _settings(index: Path | None) -> Settings:
    from rag.settings import load_settings

    return load_settings(index=index)


def _assistant(settings: Settings) -> Assistant:
    from rag.assistant import Assistant

    return Assistant(settings)


def _turns(items: Any) -> list[Any]:
    from pydantic import ValidationError

    from rag.answer import Turn

    try:
        return [Turn.model_validate(item) for item in items]
    except (ValidationError, TypeError) as error:
        raise UsageError('Historique illisible : attendu [{"role": "user" ou "assistant", "content": "…"}].') from error


def _batch(file: TextIO) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            if not isinstance(item["question"], str):
                raise TypeError("question")
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f'Ligne {number} : attendu un objet JSON avec "question". Corrigez-la puis relancez.'
            ) from error
        yield item


if __name__ == "__main__":
    main()
