"""Real servers of an application, for tests that speak HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from api.keys import KeyStore
from api.protocol import BoundedHttp


@dataclass(frozen=True)
class Keyed:
    """A server that asks for keys: its address, its keys, the secret of one, its data folder."""

    address: str
    keys: KeyStore
    secret: str
    data: Path


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of a real server of `app`, stopped at the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(app, "127.0.0.1", port, http=BoundedHttp, log_level="warning", timeout_graceful_shutdown=3)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(15)
