"""One index of the starter corpus, built once for the whole run with the real model, shared by every slow test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.assistant import Assistant
from rag.embedding import Encoder, load_encoder
from rag.index import build
from rag.settings import STARTER_CORPUS, Settings

CAHIER = Path(__file__).resolve().parents[2] / "shared" / "corpus" / "cahier-odd17-ecosystemes.pdf"


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder(Settings())


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Settings:
    folder = tmp_path_factory.mktemp("boussole")
    chosen = Settings(index=folder / "index", data=folder / "var")
    build([STARTER_CORPUS], chosen.index, lambda: encoder, chosen.embedding_model)
    return chosen


@pytest.fixture(scope="session")
def assistant(settings: Settings, encoder: Encoder) -> Iterator[Assistant]:
    opened = Assistant(settings, encoder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def cahier() -> Path:
    """The real cahier, where this machine has it."""
    if not CAHIER.exists():
        pytest.skip("le cahier réel (../shared/corpus) n'est pas sur cette machine")
    return CAHIER
