"""`boussole corpus`: the documents, fetched, added, listed, checked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ui.options import index_option, json_option

if TYPE_CHECKING:
    from corpus.check import Finding
    from corpus.collect import Outcome
    from corpus.fetch import Fetcher
    from corpus.library import Library
    from rag.generation import Generation
    from rag.settings import Settings

NEXT = {
    "to_index": "À indexer : boussole index",
    "to_fetch": "À récupérer : boussole corpus fetch [ID]",
    "manual": "À la main : téléchargez le document, puis boussole corpus add FICHIER --id ID",
    "missing": "Fichier disparu : boussole corpus check",
}
INDEX_NEXT = "Pour que les réponses en tiennent compte : boussole index"
STATUSES = {
    "fetched": "récupéré",
    "updated": "mis à jour",
    "added": "ajouté",
    "unchanged": "inchangé",
    "manual": "à la main",
    "failed": "échec",
}
TROUBLES = {
    "missing": "disparu",
    "changed": "modifié",
    "duplicate": "en double",
    "superseded": "remplacé",
    "unreadable": "illisible",
    "unreferenced": "non enregistré",
    "not_in_manifest": "hors manifeste",
}


@click.group(help="Entretenir le corpus : récupérer, ajouter, retirer, lister et vérifier les documents.")
def corpus() -> None:
    pass


@corpus.command(help="Récupérer les documents officiels du manifeste (tous, ou ceux qui sont nommés).")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@json_option
def fetch(ids: tuple[str, ...], as_json: bool) -> None:
    from corpus.collect import fetch_all
    from ui.sources import open_library

    settings = _settings()
    library = open_library(settings)
    wanted = [library.manifest.require(i) for i in dict.fromkeys(ids)] or list(library.manifest.document)
    outcomes: list[Outcome] = []
    with _fetcher(settings, library.manifest.hosts) as fetcher, _downloads() as progress:
        for outcome in fetch_all(library, wanted, fetcher, progress):
            outcomes.append(outcome)
            if not as_json:
                _say(outcome)
    failed = [o for o in outcomes if o.status == "failed" or (o.status == "manual" and o.id in ids)]
    if as_json:
        click.echo(json.dumps({"documents": [asdict(o) for o in outcomes]}, ensure_ascii=False))
    else:
        brought = sum(o.status in ("fetched", "updated") for o in outcomes)
        by_hand = sum(o.status == "manual" for o in outcomes)
        click.echo(f"{brought} document(s) récupéré(s), {by_hand} à prendre à la main, {len(failed)} échec(s).")
        if brought:
            click.echo(INDEX_NEXT)
    if failed:
        sys.exit(1)


@corpus.command(help="Ajouter un fichier ou une adresse ; titre, auteurs et date sont lus dans le document.")
@click.argument("path_or_url")
@click.option("--id", "identifier", help="Identifiant du manifeste dont c'est le document.")
@json_option
def add(path_or_url: str, identifier: str | None, as_json: bool) -> None:
    from corpus.collect import add as take
    from ui.sources import open_library

    settings = _settings()
    library = open_library(settings)

    def fetcher(host: str) -> Fetcher:
        return _fetcher(settings, library.manifest.hosts | {host.lower()})

    with _downloads() as progress:
        outcome = take(library, path_or_url, fetcher, identifier, progress)
    if as_json:
        click.echo(json.dumps(asdict(outcome), ensure_ascii=False))
        return
    _say(outcome)
    if outcome.status != "unchanged":
        click.echo(INDEX_NEXT)


@corpus.command(help="Retirer un document ajouté ou récupéré.")
@click.argument("identifier", metavar="ID")
@json_option
def remove(identifier: str, as_json: bool) -> None:
    from ui.sources import open_library

    held = open_library(_settings()).drop(identifier)
    if as_json:
        click.echo(json.dumps({"id": held.id, "title": held.title, "status": "removed"}, ensure_ascii=False))
        return
    click.echo(f"Retiré : {held.title} ({held.id}). Il quittera les réponses avec : boussole index")


@corpus.command("list", help="Lister les documents : ceux des réponses, ceux à indexer, ceux à récupérer.")
@index_option
@json_option
def list_(index: Path | None, as_json: bool) -> None:
    rows = list(_rows(_settings(index)))
    if as_json:
        click.echo(json.dumps({"documents": rows}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("Titre et identifiant", overflow="fold")
    table.add_column("Date", no_wrap=True)
    table.add_column("Nature", no_wrap=True)
    table.add_column("État", overflow="fold")
    for row in rows:
        title = Text.assemble(row["title"], "\n", (row["id"], "dim"))
        table.add_row(title, row["date"] or "", row["kind"], row["state_text"])
    console = Console()
    console.print(table)
    for state, advice in NEXT.items():
        if any(row["state"] == state for row in rows):
            console.print(advice, markup=False, highlight=False, soft_wrap=True)


@corpus.command(help="Vérifier le corpus : fichiers disparus, modifiés, en double, remplacés, illisibles.")
@index_option
@json_option
def check(index: Path | None, as_json: bool) -> None:
    from ui.sources import open_library

    settings = _settings(index)
    library = open_library(settings)
    findings = findings_of(library, settings)
    if as_json:
        click.echo(json.dumps({"ok": not findings, "findings": [asdict(f) for f in findings]}, ensure_ascii=False))
    elif not findings:
        click.echo(f"Rien à signaler : {len(library.held)} document(s) ajouté(s) ou récupéré(s), tous en ordre.")
    for finding in findings if not as_json else ():
        code = f" [{finding.code}]" if finding.code else ""
        click.echo(f"{TROUBLES[finding.kind]}{code} : {finding.file}\n  {finding.message}\n  → {finding.advice}")
    if findings:
        sys.exit(1)


def findings_of(library: Library, settings: Settings) -> list[Finding]:
    """What needs care in the operator's library, compared with the starter corpus. Changes nothing."""
    from corpus.check import check as examine
    from rag.settings import STARTER_CORPUS

    return examine(library, sorted(STARTER_CORPUS.glob("*.pdf")), _indexed(settings))


def _settings(index: Path | None = None) -> Settings:
    from rag.settings import load_settings

    return load_settings(index=index)


def _fetcher(settings: Settings, hosts: Iterable[str]) -> Fetcher:
    from corpus.fetch import Fetcher, FetchLimits

    limits = FetchLimits(pause=0.0) if settings.fetch_loopback else FetchLimits()
    return Fetcher(list(hosts), limits, loopback=settings.fetch_loopback)


def _say(outcome: Outcome) -> None:
    """One line; what went wrong on stderr."""
    text = f"{STATUSES[outcome.status]} : {outcome.title} ({outcome.id})"
    click.echo(f"{text}\n  {outcome.message}" if outcome.message else text, err=outcome.status == "failed")


def _published(settings: Settings) -> Generation | None:
    from corpus.errors import BoussoleError
    from rag.generation import Generation

    try:
        return Generation.open_published(settings.index)
    except BoussoleError:
        return None


def _indexed(settings: Settings) -> Any:
    """What the published generation spares `check` from reading again."""
    from corpus.check import NOTHING_INDEXED, Indexed
    from rag.index import READER_VERSION

    generation = _published(settings)
    if generation is None or generation.manifest["reader"] != READER_VERSION:
        return NOTHING_INDEXED
    texts = {}
    for info in generation.documents.values():
        pages = [generation.page(info.id, number) for number in generation.page_numbers(info.id)]
        texts[info.sha256] = ("\n".join(page.text for page in pages if page), info.title, info.date)
    generation.close()
    return Indexed(texts, {})


def _rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """Documents of the answers first, then those that wait."""
    from corpus.library import file_hash
    from rag.settings import STARTER_CORPUS
    from ui.sources import open_library

    library = open_library(settings)
    generation = _published(settings)
    infos = generation.documents if generation else {}
    replaced = {r["sha256"]: r for r in generation.manifest.get("superseded", ())} if generation else {}
    if generation:
        generation.close()
    for info in infos.values():
        held = library.by_hash(info.sha256)
        origin = held.origin if held else "indexed"
        yield _row(info.id, info.title, info.date, info.kind, info.source_url, origin, "answers", "dans les réponses",
                   pages=info.pages)  # fmt: skip
    shown = {info.sha256 for info in infos.values()}
    for path in sorted(STARTER_CORPUS.glob("*.pdf")) if not settings.sources else ():
        if file_hash(path) not in shown:
            yield _row(path.stem, path.stem, None, "fiche", None, "starter", "to_index", "à indexer")
    for held in library.held.values():
        if held.sha256 in shown:
            continue
        known = library.manifest.get(held.id)
        kind = known.kind if known else "document"
        state, text = "to_index", "à indexer"
        if held.sha256 in replaced:
            state, text = "superseded", f"remplacé par {replaced[held.sha256]['by']}"
        elif not library.path(held).is_file():
            state, text = "missing", "fichier disparu"
        yield _row(held.id, held.title, held.date, kind, held.source_url, held.origin, state, text)
    for official in library.manifest.document:
        if official.id in library.held:
            continue
        if official.has_file_address:
            state, text = "to_fetch", "à récupérer"
        else:
            state, text = "manual", "à la main"
        yield _row(official.id, official.title, official.date, official.kind, official.url, "manifest", state, text)


def _row(
    identifier: str,
    title: str,
    date: str | None,
    kind: str,
    url: str | None,
    origin: str,
    state: str,
    state_text: str,
    pages: int | None = None,
) -> dict[str, Any]:
    return {
        "id": identifier,
        "title": title,
        "date": date,
        "kind": kind,
        "source_url": url,
        "origin": origin,
        "state": state,
        "state_text": state_text,
        "pages": pages,
    }


@contextmanager
def _downloads() -> Iterator[Callable[[str, int, int | None], None]]:
    """Progress bars of downloads on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description:<40}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def advance(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name[:40], total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield advance
