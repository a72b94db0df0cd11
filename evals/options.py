"""What the commands share: options, settings, the assistant as `evals` uses it, folders of runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from evals.questions import Question
    from rag.assistant import Assistant
    from rag.settings import Settings

RUNS = Path("runs")
index_option = click.option("--index", type=click.Path(path_type=Path), help="Dossier de l'index.")
json_option = click.option("--json", "as_json", is_flag=True, help="Un objet JSON sur la sortie standard.")
set_option = click.option(
    "--set", "sets", type=click.Path(path_type=Path), multiple=True, help="Fichier de questions (JSONL) ; répétable."
)
baseline_option = click.option(
    "--baseline", type=click.Path(path_type=Path), help="Mesure acceptée (par défaut : evals/baseline)."
)


def questions(sets: tuple[Path, ...]) -> list[Question]:
    """The questions to measure with: those of `sets`, else all of ours."""
    from evals.questions import default_sets, load_questions

    return load_questions(list(sets) or default_sets("measuring"), "measuring")


def settings_for(index: Path | None) -> Settings:
    from rag.settings import load_settings

    return load_settings(index=index)


def assistant(index: Path | None) -> Assistant:
    """The assistant on one thread: a question is too short to share, and threads that wait for each other on a busy
    machine cost six times what they bring (measured: docs/adr/0010-comparison.md)."""
    from rag.assistant import Assistant

    settings = settings_for(index)
    return Assistant(settings if settings.threads else settings.model_copy(update={"threads": 1}))


def new_folder() -> Path:
    return RUNS / datetime.now(UTC).strftime("%Y%m%dT%H%M%S")


def unfinished() -> Path | None:
    """The last run that was interrupted."""
    from evals.run import INFO, RunInfo

    for info in sorted(RUNS.glob(f"*/{INFO}"), reverse=True):
        if not RunInfo.model_validate_json(info.read_text(encoding="utf-8")).complete:
            return info.parent
    return None
