"""`boussole serve`: API and chat page on one port."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(help="Servir l'API et la page de conversation sur un seul port.")
@click.option("--host", help="Adresse d'écoute (127.0.0.1 par défaut).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port d'écoute (8017 par défaut).")
@click.option("--index", type=click.Path(path_type=Path), help="Dossier de l'index.")
def serve(host: str | None, port: int | None, index: Path | None) -> None:
    from rag.settings import load_settings

    settings = load_settings(host=host, port=port, index=index)
    click.echo("→ Chargement de l'index et du modèle de langue…", err=True)
    import uvicorn

    from api.app import create_app
    from rag.embedding import load_encoder
    from rag.generation import published

    published(settings.index)  # says what to type where nothing is indexed yet
    app = create_app(settings, load_encoder(settings, lambda text: click.echo(text, err=True)))
    config = uvicorn.Config(
        app, settings.host, settings.port, log_level="warning", access_log=False, timeout_graceful_shutdown=10
    )
    click.echo(f"→ Prêt : http://{settings.host}:{settings.port} (Ctrl-C pour arrêter)", err=True)
    uvicorn.Server(config).run()
