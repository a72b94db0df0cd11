"""`boussole serve`: API, widget and chat page on one port."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(help="Servir l'API, le widget et la page de conversation sur un seul port.")
@click.option("--host", help="Adresse d'écoute (127.0.0.1 par défaut).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port d'écoute (8017 par défaut).")
@click.option("--index", type=click.Path(path_type=Path), help="Dossier de l'index.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processus qui répondent (1 par défaut).")
@click.option("--root-path", help="Préfixe d'adresse derrière un serveur mandataire, par exemple /boussole.")
@click.option("--trusted-proxies", help="Adresses des mandataires dont les en-têtes X-Forwarded-* sont crus.")
def serve(
    host: str | None,
    port: int | None,
    index: Path | None,
    workers: int | None,
    root_path: str | None,
    trusted_proxies: str | None,
) -> None:
    from rag.settings import load_settings

    settings = load_settings(
        host=host, port=port, index=index, workers=workers, root_path=root_path, trusted_proxies=trusted_proxies
    )
    from api.serve import run

    run(settings, lambda text: click.echo(text, err=True))
