"""The API over the shared index: called in the process (fast), and through a real uvicorn server on a free port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.app import create_app
from rag.embedding import Encoder
from rag.settings import Settings

HERE = "http://127.0.0.1:8017"


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of a real server of `app`, stopped at the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="warning", timeout_graceful_shutdown=3))
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


@pytest.fixture(scope="session")
def app(settings: Settings, encoder: Encoder) -> FastAPI:
    return create_app(settings, encoder)


@pytest.fixture(scope="session")
def address(settings: Settings, encoder: Encoder) -> Iterator[str]:
    with serving(create_app(settings, encoder)) as found:
        yield found


@pytest.fixture(scope="module")
def client(settings: Settings, encoder: Encoder) -> Iterator[TestClient]:
    """This machine, without a key."""
    with TestClient(create_app(settings, encoder), base_url=HERE, client=("127.0.0.1", 50000)) as opened:
        yield opened


@pytest.fixture
def visitor(settings: Settings, encoder: Encoder, tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """A client of a server with a data folder of its own: `visitor(address=…, base_url=…)`; `visitor.data` is the folder."""
    app = create_app(settings.model_copy(update={"data": tmp_path}), encoder)
    with TestClient(app, base_url=HERE, client=("127.0.0.1", 50000)):

        def make(address: str = "203.0.113.7", base_url: str = "https://boussole.exemple.fr") -> TestClient:
            return TestClient(app, base_url=base_url, client=(address, 50000), raise_server_exceptions=False)

        yield make
