"""`boussole keys` and `boussole feedback`: who may ask, and what is kept of what they said."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from api.feedback import FeedbackStore
    from api.keys import Key, KeyStore

json_option = click.option("--json", "as_json", is_flag=True, help="Un objet JSON sur la sortie standard.")
COLUMNS = ("answer_id", "rating", "comment", "at", "question", "status", "generation")


def register(main: click.Group) -> None:
    """Add both groups of commands to `boussole`."""
    main.add_command(keys)
    main.add_command(feedback)


@click.group(help="Les clés de l'API : dès que la première existe, toute demande en porte une.")
def keys() -> None:
    pass


@keys.command(help="Créer une clé ; son secret n'est montré que cette fois.")
@click.option("--name", required=True, help="À qui ou à quoi sert la clé.")
@click.option(
    "--origin",
    "origins",
    multiple=True,
    help="Site où elle sert, par exemple https://www.exemple.fr ; répétable. La clé peut alors figurer dans une page.",
)
@click.option("--rate", help="Questions permises, par exemple 60/minute ou 1000/day.")
@click.option("--scope", "scopes", multiple=True, help="Ce qu'elle ouvre : ask, search, read, feedback, metrics.")
@json_option
def create(name: str, origins: tuple[str, ...], rate: str | None, scopes: tuple[str, ...], as_json: bool) -> None:
    key, secret = _keys().create(name, origins=origins, rate=rate, scopes=scopes)
    if as_json:
        click.echo(json.dumps(_described(key) | {"secret": secret}, ensure_ascii=False))
        return
    click.echo(secret)
    click.echo("Notez-la : elle ne sera plus montrée. " + _use(key), err=True)


@keys.command("list", help="Les clés, sans leur secret.")
@json_option
def list_keys(as_json: bool) -> None:
    every = _keys().every()
    for key in every:
        if as_json:
            click.echo(json.dumps(_described(key), ensure_ascii=False))
        else:
            click.echo(_line(key))
    if not every and not as_json:
        click.echo("Aucune clé : l'API ne répond qu'à cette machine.", err=True)


@keys.command(help="Révoquer une clé ; elle est refusée dès la demande suivante.")
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    _keys().revoke(key_id)
    if as_json:
        click.echo(json.dumps({"id": key_id, "revoked": True}))
    else:
        click.echo(f"Clé {key_id} révoquée.")


@click.group(help="Les avis donnés sur les réponses, et les questions si vous avez choisi de les conserver.")
def feedback() -> None:
    pass


@feedback.command(help="Sortir les avis, du plus ancien au plus récent.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv"]),
    default="jsonl",
    show_default=True,
    help="Forme du fichier.",
)
@click.option("--out", type=click.File("w", encoding="utf-8"), default="-", help="Fichier ; sinon la sortie standard.")
def export(form: str, out: TextIO) -> None:
    write_feedback(_opinions().export(), form, out)


@feedback.command(help="Effacer tout ce qui est conservé au sujet d'une réponse.")
@click.argument("answer_id", metavar="ID_DE_RÉPONSE")
@json_option
def erase(answer_id: str, as_json: bool) -> None:
    gone = _opinions().erase(answer_id)
    if as_json:
        click.echo(json.dumps({"answer_id": answer_id, "erased": gone}))
    if not gone:
        click.echo(f"Rien n'est conservé au sujet de la réponse « {answer_id} ».", err=True)
        sys.exit(1)
    if not as_json:
        click.echo(f"Effacé : ce qui était conservé au sujet de la réponse {answer_id}.")


def write_feedback(rows: Iterable[dict[str, Any]], form: str, out: TextIO) -> None:
    """Rows of `FeedbackStore.export` as JSONL or CSV. A cell that a spreadsheet would run as a formula is quoted."""
    if form == "jsonl":
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    table = csv.DictWriter(out, COLUMNS)
    table.writeheader()
    for row in rows:
        table.writerow({name: _harmless(row[name]) for name in COLUMNS})


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip()[:1] in ("=", "+", "-", "@") else cell


def _keys() -> KeyStore:
    from api.keys import KeyStore
    from rag.settings import load_settings

    return KeyStore(load_settings().data)


def _opinions() -> FeedbackStore:
    from api.feedback import FeedbackStore
    from rag.settings import load_settings

    return FeedbackStore(load_settings())


def _described(key: Key) -> dict[str, Any]:
    return asdict(key)


def _use(key: Key) -> str:
    if key.kind == "secret":
        return "Elle donne accès à l'API : gardez-la sur vos serveurs, jamais dans une page."
    sites = ", ".join(key.origins)
    return f'Dans vos pages de {sites} : <boussole-chat key="…"></boussole-chat> (voir docs/widget.md).'


def _line(key: Key) -> str:
    kind = {"secret": "secrète", "publishable": "publiable"}[key.kind]
    state = f"révoquée le {key.revoked[:10]}" if key.revoked else "en vigueur"
    sites = f", {' '.join(key.origins)}" if key.origins else ""
    return f"{key.id}  {key.name}  ({kind}, {state}, {key.rate}, {' '.join(key.scopes)}{sites})"
