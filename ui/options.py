"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path

import click

index_option = click.option("--index", type=click.Path(path_type=Path), help="Dossier de l'index.")
json_option = click.option("--json", "as_json", is_flag=True, help="Un objet JSON sur la sortie standard.")
