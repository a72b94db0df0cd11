"""Real servers of an application, for tests that speak HTTP."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from api.keys import KeyStore
from api.protocol import BoundedHttp
from rag.settings import Settings


@dataclass(frozen=True)
class Keyed:
    """A server that asks for keys: its address, its keys, the secret of one, its data folder."""

    address: str
    keys: KeyStore
    secret: str
    data: Path


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The address of a real server of `app`, on a free port unless one is given, stopped at the end of the block."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            http=BoundedHttp,
            server_header=False,
            log_level="warning",
            timeout_graceful_shutdown=3,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server stopped while starting"
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(15)


@contextmanager
def command(
    settings: Settings, data: Path, *arguments: str, **more: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`boussole serve` on a free port, and its address once it is ready; it is stopped at the end of the block."""
    environment = os.environ | {"BOUSSOLE_DATA": str(data), "BOUSSOLE_INDEX": str(settings.index)} | more
    line = [sys.executable, "-m", "ui.cli", "serve", "--port", "0", *arguments]
    running = subprocess.Popen(line, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment)
    assert running.stderr is not None
    told: list[str] = []
    try:
        for said in running.stderr:
            told.append(said)
            if found := re.search(r"Prêt : (http://\S+)", said):
                break
        else:
            raise AssertionError("".join(told))
        lines: list[str] = []
        reader = threading.Thread(target=lambda: lines.extend(running.stderr or ()), daemon=True)
        reader.start()
        running.lines = lines  # type: ignore[attr-defined]
        yield running, found[1]
    finally:
        running.terminate()
        try:
            running.wait(40)
        except subprocess.TimeoutExpired:
            running.kill()


def start_redis(port: int, folder: Path) -> subprocess.Popen[bytes]:
    """A Redis of our own, once it listens; the test is skipped where there is none."""
    server = shutil.which("redis-server")
    if not server:
        pytest.skip("redis-server n'est pas sur cette machine : apt-get install redis-server")
    running = subprocess.Popen([server, "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL, cwd=folder)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    return running
