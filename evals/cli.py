"""The commands of `evals`. Results on stdout, the rest on stderr; exit 0 done, 1 it must not be published, references to
review or an interruption, 2 wrong usage."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpus.errors import BoussoleError, ConfigurationError, IndexMissing, UsageError
from evals.beir_command import beir
from evals.draft_command import draft
from evals.options import assistant, baseline_option, index_option, json_option, questions, set_option, settings_for

if TYPE_CHECKING:
    from evals.questions import Question
    from evals.run import Run
    from rag.assistant import Assistant

out_option = click.option("--out", type=click.Path(path_type=Path), help="Dossier de la mesure (par défaut runs/DATE).")
resume_option = click.option(
    "--resume", is_flag=True, help="Reprendre une mesure interrompue (celle de --out, ou la dernière)."
)


class Commands(click.Group):
    """Shows our errors once, in French, with the exit status of the contract."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BoussoleError as error:
            click.echo(f"Erreur : {error}", err=True)
            ctx.exit(2 if isinstance(error, (UsageError, ConfigurationError, IndexMissing)) else 1)
        except (KeyboardInterrupt, click.Abort):
            click.echo("\nInterrompu.", err=True)
            ctx.exit(1)


@click.group(cls=Commands, help="Mesurer l'assistant sur les questions de référence, comparer, décider de publier.")
def main() -> None:
    pass


main.add_command(draft)
main.add_command(beir)


@main.command(help="Poser les questions de référence ; donner les mesures avec leur intervalle à 95 %.")
@index_option
@set_option
@out_option
@resume_option
@click.option("--judge", is_flag=True, help="Demander aussi l'avis du modèle de BOUSSOLE_LLM_BASE_URL (facultatif).")
@json_option
def run(index: Path | None, sets: tuple[Path, ...], out: Path | None, resume: bool, judge: bool, as_json: bool) -> None:
    from evals.report import write_report
    from evals.summary import as_object, as_text

    asked = questions(sets)
    measured = _measured(assistant(index), asked, _folder(out, resume), resume)
    opinion = _judged(measured, index) if judge else None
    write_report(measured, baseline=_accepted_folder(None))
    if as_json:
        extra = {"judge": opinion.model_dump(mode="json", exclude={"opinions"})} if opinion else {}
        click.echo(json.dumps(as_object(measured) | extra, ensure_ascii=False))
    else:
        click.echo(as_text(measured))
        if opinion:
            click.echo(opinion.in_words())


@main.command(help="Comparer deux mesures question par question ; sortie 1 si la seconde recule significativement.")
@click.argument("baseline", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@json_option
def compare(baseline: Path, new: Path, as_json: bool) -> None:
    from evals.compare import compare as compare_measures
    from evals.compare_text import as_object
    from evals.outcome import open_measured

    found = compare_measures(open_measured(baseline), open_measured(new))
    if not found.paired:
        raise UsageError("Ces deux mesures n'ont aucune question en commun : il n'y a rien à comparer.")
    if as_json:
        click.echo(json.dumps(as_object(found), ensure_ascii=False))
    else:
        _show_comparison(found)
    if found.regressions:
        sys.exit(1)


@main.command(
    help="Dire si cet index peut être publié : mesure, comparaison avec la mesure acceptée, références à revoir."
)
@index_option
@set_option
@baseline_option
@out_option
@resume_option
@json_option
def gate(
    index: Path | None, sets: tuple[Path, ...], baseline: Path | None, out: Path | None, resume: bool, as_json: bool
) -> None:
    from evals.anchors import PageBook
    from evals.baseline import BASELINE, open_baseline
    from evals.compare import compare as compare_measures
    from evals.compare_text import as_object
    from evals.gate import judge
    from evals.outcome import measured as as_measured
    from evals.report import write_report
    from evals.stale import staleness

    accepted = open_baseline(baseline or BASELINE)
    asked = questions(sets)
    opened = assistant(index)
    measured = _measured(opened, asked, _folder(out, resume), resume)
    now = as_measured(measured.info, measured.lines, measured.folder)
    found = compare_measures(accepted, now)
    verdict = judge(measured, found, staleness(asked, PageBook.of(opened)), accepted, now)
    report = write_report(measured, found, verdict, baseline or BASELINE)
    if as_json:
        places = {"run": str(measured.folder), "report": str(report)}
        whole = verdict.model_dump(mode="json") | places | {"comparison": as_object(found)}
        click.echo(json.dumps(whole, ensure_ascii=False))
    else:
        click.echo(verdict.sentence)
        for remark in (*verdict.reasons, *verdict.notices):
            items = f" : {', '.join(remark.items[:12])}{'…' if len(remark.items) > 12 else ''}" if remark.items else ""
            click.echo(f"  {'✗' if remark in verdict.reasons else '·'} {remark.message}{items}")
        click.echo(f"Rapport : {report}")
    if not verdict.publish:
        sys.exit(1)


@main.command(help="Faire d'une mesure la mesure acceptée, à laquelle les suivantes seront comparées.")
@click.argument("run", type=click.Path(path_type=Path))
@baseline_option
@json_option
def accept(run: Path, baseline: Path | None, as_json: bool) -> None:
    from evals.baseline import BASELINE
    from evals.baseline import accept as accept_run
    from evals.run import open_run

    target = baseline or BASELINE
    measured = open_run(run)
    accept_run(measured, target)
    fields = {"baseline": str(target), "run": str(run), "questions": measured.info.questions}
    if as_json:
        click.echo(json.dumps(fields, ensure_ascii=False))
    else:
        click.echo(
            f"Mesure acceptée : {measured.info.questions} questions du {measured.info.created[:10]}, dans {target}"
        )


@main.command(help="Lister les références que le corpus ne porte plus ; suivre celles dont le texte a changé de page.")
@index_option
@set_option
@click.option("--fix", is_flag=True, help="Écrire les nouvelles pages dans les fichiers de questions.")
@json_option
def stale(index: Path | None, sets: tuple[Path, ...], fix: bool, as_json: bool) -> None:
    from evals.corpus_pages import opened
    from evals.questions import default_sets
    from evals.stale import rewrite, staleness

    asked = questions(sets)
    with opened(settings_for(index).index) as (generation, book):
        found = staleness(asked, book)
    fixed = 0
    if fix and found.moved:
        fixed = sum(rewrite(path, found.moved) for path in list(sets) or default_sets("measuring"))
    if as_json:
        fields = {"index_generation": generation.name, "sentence": found.in_words(), "fixed": fixed}
        click.echo(json.dumps(fields | found.model_dump(mode="json"), ensure_ascii=False))
    else:
        click.echo(found.in_words())
        for broken in found.stale:
            click.echo(f"  {broken.id} « {broken.question} » : {broken.reason}\n      attendu : {broken.evidence}")
            if broken.now:
                click.echo(f"      aujourd'hui : {broken.now}")
        for moved in found.moved:
            click.echo(f"  suivie à sa nouvelle place : {moved.in_words()}")
        if fix:
            click.echo(f"{fixed} référence(s) réécrite(s).")
        if found.uncovered:
            click.echo(f"Documents sans référence : {', '.join(found.uncovered)}")
    if found.stale:
        sys.exit(1)


@main.command(help="Ajuster la probabilité d'abstention sur les questions de réglage ; donne les poids à recopier.")
@index_option
@set_option
@json_option
def calibrate(index: Path | None, sets: tuple[Path, ...], as_json: bool) -> None:
    from evals.calibrate import as_text, calibrate_on
    from evals.questions import default_sets, load_questions

    asked = load_questions(list(sets) or default_sets("tuning"), "tuning")
    found = calibrate_on(assistant(index), asked)
    click.echo(found.model_dump_json() if as_json else as_text(found))


# --- helpers


def _measured(opened: Assistant, asked: list[Question], folder: Path, resume: bool) -> Run:
    """A run with its progress on a terminal. Ctrl-C keeps what was done and says how to go on."""
    from evals.progress import bar
    from evals.run import measure

    try:
        with bar("Questions") as advance:
            return measure(opened, asked, folder, resume=resume, done=lambda count: advance(count, len(asked)))
    except KeyboardInterrupt:
        again = " ".join(["evals", *[a for a in sys.argv[1:] if a != "--resume"]])
        again += " --resume" + ("" if "--out" in again else f" --out {folder}")
        click.echo(f"\nInterrompu ; ce qui est fait est gardé. Reprenez : {again}", err=True)
        sys.exit(1)


def _judged(measured: Run, index: Path | None) -> Any:
    from evals.judge import judge_run
    from evals.progress import bar

    answered = sum(line.answer is not None and line.answer.status == "answered" for line in measured.lines)
    with bar("Avis du modèle") as advance:
        return judge_run(measured, settings_for(index), lambda count: advance(count, answered))


def _show_comparison(found: Any) -> None:
    from rich.console import Console

    from evals.compare_text import WIDTH, show

    terminal = sys.stdout.isatty()
    show(found, Console(width=None if terminal else WIDTH, highlight=False))


def _accepted_folder(baseline: Path | None) -> Path:
    from evals.baseline import BASELINE

    return baseline or BASELINE


def _folder(out: Path | None, resume: bool) -> Path:
    from evals.options import new_folder, unfinished

    return out or (unfinished() if resume else None) or new_folder()


if __name__ == "__main__":
    main()
