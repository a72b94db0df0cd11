"""The commands of `evals`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from corpus.errors import BoussoleError, ConfigurationError, IndexMissing, UsageError

LABELS = {
    "recall@1": "page attendue en premier",
    "recall@5": "page attendue parmi cinq",
    "facts": "faits présents dans la réponse",
    "cited_page": "page attendue citée",
    "quotes": "citations mot pour mot",
    "sentences_cited": "phrases citées",
    "numbers": "nombres tous cités",
    "answered": "répond quand il faut",
    "abstained": "s'abstient quand il faut",
}


@click.group(help="Mesurer l'assistant sur les questions de référence.")
def main() -> None:
    pass


@main.command(help="Poser toutes les questions de référence et donner les mesures avec leur intervalle à 95 %.")
@click.option("--index", type=click.Path(path_type=Path), help="Dossier de l'index.")
@click.option("--set", "sets", type=click.Path(path_type=Path), multiple=True, help="Fichier de questions ; répétable.")
@click.option("--out", type=click.Path(path_type=Path), help="Dossier du passage (par défaut runs/DATE).")
@click.option("--json", "as_json", is_flag=True, help="Un objet JSON sur la sortie standard.")
@click.pass_context
def run(ctx: click.Context, index: Path | None, sets: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    from evals.asking import ask_all, summarise, write
    from evals.questions_file import default_sets, load
    from rag.assistant import Assistant
    from rag.settings import load_settings

    try:
        questions = load(list(sets) or default_sets("measuring"))
        assistant = Assistant(load_settings(index=index))
        lines = ask_all(assistant, questions)
        folder = out or Path("runs") / datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        summary = summarise(lines)
        write(folder, assistant, lines, summary)
    except BoussoleError as error:
        click.echo(f"Erreur : {error}", err=True)
        ctx.exit(2 if isinstance(error, (UsageError, ConfigurationError, IndexMissing)) else 1)
    if as_json:
        click.echo(json.dumps(summary | {"run": str(folder)}, ensure_ascii=False))
        return
    click.echo(f"{len(lines)} questions, génération {assistant.generation.name}")
    for name, value in summary["metrics"].items():
        interval = f"[{value['low']:.0%} – {value['high']:.0%}]"
        click.echo(f"  {LABELS[name]:<32} {value['mean']:>6.1%}  {interval:<16} n = {value['n']}")
    click.echo("Par genre de question :")
    for kind, value in summary["kinds"].items():
        what = "faits" if value["metric"] == "facts" else "abstention"
        click.echo(
            f"  {kind:<16} {what:<11} {value['mean']:>6.1%}  [{value['low']:.0%} – {value['high']:.0%}]  n = {value['n']}"
        )
    click.echo(
        f"Longueur médiane : {summary['words_median']:.0f} mots ; temps : {summary['ms_p50']:.0f} ms (médiane), "
        f"{summary['ms_p95']:.0f} ms (95 %)"
    )
    click.echo(f"Passage enregistré dans {folder}")


if __name__ == "__main__":
    main()
