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
