"""The server: one process, or several that share the port, the rates and the figures, and never a Chroma folder."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.error import URLError

import uvicorn
from uvicorn.supervisors import Multiprocess

from api import logs
from corpus.errors import ConfigurationError
from rag.generation import published
from rag.settings import PREFIX, Settings, load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE = 30  # seconds that answers on their way have to end once the server is asked to stop
KEEP_ALIVE = 75  # seconds, above the 60 that nginx keeps a connection to us: it must be the one that closes
BACKLOG = 512
Say = Callable[[str], None]


def run(settings: Settings, say: Say) -> None:
    """Serve until SIGTERM or SIGINT. Raises IndexMissing, ConfigurationError."""
    published(settings.index)  # says what to type where nothing is indexed yet
    logs.configure()
    if settings.workers > 1:
        _run_workers(settings, say)
        return
    from api.app import create_app
    from rag.embedding import load_encoder

    listening = _bound(settings)  # before the model is loaded: a port that is taken is told at once
    say("→ Chargement de l'index et du modèle de langue…")
    app = create_app(settings, load_encoder(settings, say))
    port = listening.getsockname()[1]
    listening.listen(BACKLOG)  # who comes from now on waits for a moment instead of being turned away
    say(f"→ Prêt : {address(settings, port)} (Ctrl-C pour arrêter)")
    uvicorn.Server(_config(settings, app)).run(sockets=[listening])


def worker() -> FastAPI:
    """The application of one worker; its settings come from the environment, where `run` wrote them."""
    logs.configure()
    from api.app import create_app
    from rag.embedding import load_encoder

    settings = load_settings()
    threads = settings.threads or max(1, (os.cpu_count() or 1) // settings.workers)
    # A worker never opens a Chroma folder (server or array), and takes no request before its index is open.
    chosen = settings.model_copy(update={"threads": threads, "exact_limit": sys.maxsize})
    return create_app(chosen, load_encoder(chosen))


def address(settings: Settings, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}{settings.root_path}"


def _bound(settings: Settings) -> socket.socket:
    """A socket at the server's address, not yet listening. Raises ConfigurationError."""
    opened = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((settings.host, settings.port))
    except OSError:
        opened.close()
        raise ConfigurationError(
            f"L'adresse {settings.host}:{settings.port} est prise ou refusée. "
            "Choisissez-en une autre avec --port ou --host."
        ) from None
    opened.set_inheritable(True)
    return opened


def _config(settings: Settings, app: FastAPI | str) -> uvicorn.Config:
    trusted = [part.strip() for part in settings.trusted_proxies.split(",") if part.strip()]
    return uvicorn.Config(
        app,
        settings.host,
        settings.port,
        factory=isinstance(app, str),
        workers=settings.workers,
        http="api.protocol:BoundedHttp",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        timeout_worker_healthcheck=60,  # a worker that loads its model doesn't answer at once
    )


def _run_workers(settings: Settings, say: Say) -> None:
    from api.chroma_server import chroma_server
    from api.rates import rates_file

    listening = _bound(settings)
    say(f"→ Démarrage de {settings.workers} processus…")
    for suffix in ("", "-wal", "-shm"):  # counts of an earlier run
        rates_file(settings).with_name(rates_file(settings).name + suffix).unlink(missing_ok=True)
    figures = tempfile.mkdtemp(prefix="boussole-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures  # read by prometheus_client when a worker imports it
    try:
        with chroma_server(settings, say) as chroma_url:
            _write_environment(settings.model_copy(update={"chroma_url": chroma_url or settings.chroma_url}))
            threading.Thread(target=_tell_ready, args=(settings, listening.getsockname()[1], say), daemon=True).start()
            Multiprocess(_config(settings, "api.serve:worker"), sockets=[listening]).run()
    finally:
        shutil.rmtree(figures, ignore_errors=True)


def _write_environment(settings: Settings) -> None:
    """What flags chose, where the workers will read it."""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        secret = getattr(value, "get_secret_value", None)
        os.environ[PREFIX + name.upper()] = str(secret() if secret else value)


def _tell_ready(settings: Settings, port: int, say: Say) -> None:
    """Say the address once a worker answers questions; for people only, nothing depends on it."""
    here = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # nosec B104
    url = f"http://{f'[{here}]' if ':' in here else here}:{port}/readyz"
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # nosec B310
                say(f"→ Prêt : {address(settings, port)} (Ctrl-C pour arrêter)")
                return
        except (URLError, OSError):
            time.sleep(0.5)
