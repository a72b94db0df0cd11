"""`evals beir DIR`."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from evals.options import json_option, settings_for

LABELS = {
    "write": "Documents",
    "read": "Lecture",
    "embed": "Vecteurs",
    "lexical": "Index lexical",
    "search": "Questions",
}


@click.command(help="Mesurer la recherche sur un jeu au format BEIR, par notre découpage et notre recherche.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Dossier où écrire run.trec, qrels.trec et figures.json, et où garder l'index pour une prochaine fois.",
)
@json_option
def beir(folder: Path, out: Path | None, as_json: bool) -> None:
    from evals.beir import measure, write_trec
    from evals.progress import stages
    from evals.summary import french

    with TemporaryDirectory(prefix="beir-") if out is None else nullcontext(str(out)) as work:
        with stages(LABELS) as progress:
            result, qrels, ranking = measure(folder, settings_for(None), Path(work), progress)
        if out is not None:
            write_trec(out, qrels, ranking)
            (out / "figures.json").write_text(json.dumps(result.as_object(), indent=1) + "\n", encoding="utf-8")
    if as_json:
        click.echo(json.dumps(result.as_object(), ensure_ascii=False))
        return
    click.echo(f"{result.documents} documents ({result.passages} passages), {result.queries} questions jugées")
    for name, figure in result.figures.items():
        click.echo(french(f"  {name:<12} {figure.value:.4f} [{figure.low:.4f} – {figure.high:.4f}]"))
    click.echo(
        french(
            f"  {result.seconds:.1f} s, dont {result.index_seconds:.1f} s d'indexation et {result.search_seconds:.1f} s de recherche"
        )
    )
