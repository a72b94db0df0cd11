"""The commands of `evals`. Results on stdout, the rest on stderr; exit 0 done, 1 it must not be published or an
interruption, 2 wrong usage."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.errors import BoussoleError, ConfigurationError, IndexMissing, UsageError

if TYPE_CHECKING:
    from evals.questions import Question
    from evals.run import Run
    from rag.assistant import Assistant

RUNS = Path("runs")
index_option = click.option("--index", type=click.Path(path_type=Path), help="Dossier de l'index.")
json_option = click.option("--json", "as_json", is_flag=True, help="Un objet JSON sur la sortie standard.")
set_option = click.option(
    "--set", "sets", type=click.Path(path_type=Path), multiple=True, help="Fichier de questions (JSONL) ; répétable."
)
baseline_option = click.option(
    "--baseline", type=click.Path(path_type=Path), help="Mesure acceptée (par défaut : evals/baseline)."
)


class Commands(click.Group):
    """Shows our errors once, in French, with the exit status of the contract."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BoussoleError as error:
            click.echo(f"Erreur : {error}", err=True)
            ctx.exit(2 if isinstance(error, (UsageError, ConfigurationError, IndexMissing)) else 1)


@click.group(cls=Commands, help="Mesurer l'assistant sur les questions de référence, comparer, décider de publier.")
def main() -> None:
    pass


@main.command(help="Poser les questions de référence ; donner les mesures avec leur intervalle à 95 %.")
@index_option
@set_option
@click.option("--out", type=click.Path(path_type=Path), help="Dossier de la mesure (par défaut runs/DATE).")
@click.option("--resume", is_flag=True, help="Reprendre une mesure interrompue (celle de --out, ou la dernière).")
@json_option
def run(index: Path | None, sets: tuple[Path, ...], out: Path | None, resume: bool, as_json: bool) -> None:
    from evals.summary import as_object, as_text

    questions = _questions(sets)
    folder = out or (_unfinished() if resume else None) or _new_folder()
    measured = _measured(_assistant(index), questions, folder, resume)
    click.echo(json.dumps(as_object(measured), ensure_ascii=False) if as_json else as_text(measured))


def _measured(assistant: Assistant, questions: list[Question], folder: Path, resume: bool = False) -> Run:
    """A run with its progress on a terminal. Ctrl-C keeps what was done and says how to go on."""
    from evals.report import write_report
    from evals.run import measure

    bar = click.progressbar(length=len(questions), label="Questions", file=sys.stderr)
    shown = 0

    def advance(count: int) -> None:
        nonlocal shown
        bar.update(count - shown)
        shown = count

    try:
        if sys.stderr.isatty():
            with bar:
                measured = measure(assistant, questions, folder, resume=resume, done=advance)
        else:
            measured = measure(assistant, questions, folder, resume=resume)
    except KeyboardInterrupt:
        click.echo(f"\nInterrompu ; ce qui est fait est gardé. Reprenez : evals run --resume --out {folder}", err=True)
        sys.exit(1)
    write_report(measured)
    return measured


@main.command(help="Comparer deux mesures, question par question ; état 1 si quelque chose a nettement baissé.")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@json_option
def compare(baseline: Path, new: Path, as_json: bool) -> None:
    from evals.compare import as_text, compare_runs
    from evals.run import open_run

    found = compare_runs(open_run(baseline), open_run(new))
    click.echo(found.model_dump_json() if as_json else as_text(found))
    sys.exit(1 if found.regressions else 0)


@main.command(help="Dire s'il faut publier : mesure, comparaison avec la mesure acceptée, références périmées.")
@index_option
@set_option
@baseline_option
@click.option("--out", type=click.Path(path_type=Path), help="Dossier de la mesure (par défaut runs/DATE).")
@json_option
def gate(index: Path | None, sets: tuple[Path, ...], baseline: Path | None, out: Path | None, as_json: bool) -> None:
    from evals.gate import BASELINE, as_text, decide
    from evals.run import INFO, open_run

    folder = baseline or BASELINE
    accepted = open_run(folder) if (folder / INFO).exists() else None
    measured = _measured(_assistant(index), _questions(sets), out or _new_folder())
    verdict = decide(measured, accepted)
    click.echo(verdict.model_dump_json() if as_json else as_text(verdict))
    sys.exit(0 if verdict.publish else 1)


@main.command(help="Faire d'une mesure celle à laquelle « evals gate » compare.")
@click.argument("run", type=click.Path(path_type=Path))
@baseline_option
def accept(run: Path, baseline: Path | None) -> None:
    from evals.gate import BASELINE, accept_run
    from evals.run import open_run

    folder = baseline or BASELINE
    accepted = accept_run(open_run(run), folder)
    click.echo(f"Mesure acceptée : {accepted.info.questions} questions, génération {accepted.info.index_generation}.")


@main.command(help="Chercher les références dont le corpus ne porte plus la preuve ; état 1 s'il y en a.")
@index_option
@set_option
@json_option
def stale(index: Path | None, sets: tuple[Path, ...], as_json: bool) -> None:
    from evals.stale import as_text, find_stale
    from rag.generation import Generation
    from rag.settings import load_settings

    found = find_stale(_questions(sets), Generation.open_published(load_settings(index=index).index))
    click.echo(found.model_dump_json() if as_json else as_text(found))
    sys.exit(1 if found.stale else 0)


@main.command(help="Mesurer la recherche sur un jeu de la forme BEIR (corpus.jsonl, queries.jsonl, qrels).")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def beir(folder: Path, as_json: bool) -> None:
    from evals.beir import as_text, measure_beir
    from rag.embedding import load_encoder
    from rag.settings import load_settings

    settings = load_settings()
    found = measure_beir(folder, load_encoder(settings), settings.embedding_model)
    click.echo(found.model_dump_json() if as_json else as_text(found))


@main.command(help="Ajuster la probabilité d'abstention sur les questions de réglage ; donne les poids à recopier.")
@index_option
@set_option
@json_option
def calibrate(index: Path | None, sets: tuple[Path, ...], as_json: bool) -> None:
    from evals.calibrate import as_text, calibrate_on
    from evals.questions import default_sets, load_questions

    questions = load_questions(list(sets) or default_sets("tuning"), "tuning")
    found = calibrate_on(_assistant(index), questions)
    click.echo(found.model_dump_json() if as_json else as_text(found))


@main.command(help="Proposer des questions de référence pour un document (ou un fichier PDF), à accepter une à une.")
@click.argument("document")
@index_option
@click.option("--to", type=click.Path(path_type=Path), help="Fichier JSONL où ajouter ce qui est accepté.")
@click.option("--count", type=click.IntRange(1, 200), default=12, show_default=True, help="Candidates proposées.")
@json_option
def draft(document: str, index: Path | None, to: Path | None, count: int, as_json: bool) -> None:
    from evals.draft import candidates, review
    from evals.questions import QUESTIONS

    found = candidates(document, index, count)
    if as_json:
        for question in found:
            click.echo(question.model_dump_json(exclude_defaults=True))
        return
    review(found, to or QUESTIONS / "added.jsonl")


def _questions(sets: tuple[Path, ...]) -> list[Question]:
    from evals.questions import default_sets, load_questions

    return load_questions(list(sets) or default_sets("measuring"), "measuring")


def _assistant(index: Path | None) -> Assistant:
    from rag.assistant import Assistant
    from rag.settings import load_settings

    return Assistant(load_settings(index=index))


def _new_folder() -> Path:
    return RUNS / datetime.now(UTC).strftime("%Y%m%dT%H%M%S")


def _unfinished() -> Path | None:
    """The last run that was interrupted."""
    from evals.run import INFO, RunInfo

    for info in sorted(RUNS.glob(f"*/{INFO}"), reverse=True):
        if not RunInfo.model_validate_json(info.read_text(encoding="utf-8")).complete:
            return info.parent
    return None


if __name__ == "__main__":
    main()
