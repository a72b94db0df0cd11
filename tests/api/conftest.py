"""The API over the shared index: called in the process (fast), and through a real uvicorn server on a free port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from servers import Keyed, serving

from api.app import create_app
from api.keys import KeyStore
from rag.embedding import Encoder
from rag.settings import Settings

HERE = "http://127.0.0.1:8017"


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


@pytest.fixture(scope="module")
def keyed(settings: Settings, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    """A real server with keys of its own: `keyed.address`, `keyed.keys`, `keyed.secret` (of a server's key)."""
    data = tmp_path_factory.mktemp("keyed")
    store = KeyStore(data)
    _, secret = store.create("tests", rate="100000/minute")
    with serving(create_app(settings.model_copy(update={"data": data}), encoder)) as found:
        yield Keyed(found, store, secret, data)
