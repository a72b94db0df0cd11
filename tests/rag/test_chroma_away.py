"""A real Chroma server that goes away, hangs, forgets and comes back: the same answers all along."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from small_encoder import SmallEncoder, small_build

import rag.vectors
from corpus.errors import ConfigurationError
from rag.assistant import Assistant
from rag.embedding import Encoder
from rag.generation import Generation
from rag.settings import STARTER_CORPUS, Settings
from rag.vectors import SteadySearch, drop_collection, open_dense

pytestmark = pytest.mark.slow
QUESTIONS = ("C'est quoi l'ODD 17 ?", "Qu'est-ce qu'un commun ?")
FICHES = [STARTER_CORPUS / f"{name}.md" for name in ("agenda-2030", "communs", "quatre-c")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def chroma(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    program = shutil.which("chroma", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert program, "chroma comes with chromadb"
    line = [program, "run", "--path", str(folder), "--port", str(port), "--host", "127.0.0.1"]
    running = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/api/v2/heartbeat", timeout=2).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield running
    finally:
        running.send_signal(signal.SIGCONT)
        running.kill()
        running.wait(20)


def answers(assistant: Assistant) -> list[Any]:
    found = []
    for question in QUESTIONS:
        answer = assistant.ask(question)
        found.append((answer.status, answer.answer, [(c.document_id, c.page, c.quote) for c in answer.citations]))
    return found


def by_chroma(assistant: Assistant) -> bool:
    dense = assistant._dense
    assert isinstance(dense, SteadySearch)
    return dense._chroma is not None


def test_away_hung_empty_and_back_the_answers_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rag.vectors, "QUERY_SECONDS", 0.5)
    monkeypatch.setattr(rag.vectors, "PROBE_SECONDS", 1.0)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(index=tmp_path / "index", chroma_url=url)
    with chroma(tmp_path / "chroma", port) as server:
        small_build(FICHES, settings.index, chroma_url=url)
        assistant = Assistant(settings, cast(Encoder, SmallEncoder()))
        assistant._dense._rest_seconds = 0.5  # type: ignore[attr-defined]
        before = answers(assistant)
        assert by_chroma(assistant)
        server.send_signal(signal.SIGSTOP)
        assert answers(assistant) == before
        assert not by_chroma(assistant)
        server.send_signal(signal.SIGCONT)
        deadline = time.monotonic() + 20
        while not by_chroma(assistant) and time.monotonic() < deadline:
            assert answers(assistant) == before
        assert by_chroma(assistant), "back, and not taken up"
        drop_collection(assistant.generation.name, url)
        assert answers(assistant) == before, "it has forgotten everything"
        assert not by_chroma(assistant)
    assert answers(assistant) == before, "away"
    opened_without = Assistant(settings, cast(Encoder, SmallEncoder()))
    assert answers(opened_without) == before, "away from the start"
    opened_without.close()
    assistant.close()


def test_without_its_server_an_index_is_not_built_and_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="chroma run"):
        small_build(FICHES, tmp_path / "index", chroma_url=f"http://127.0.0.1:{free_port()}")
    assert not (tmp_path / "index" / "CURRENT").exists()


def test_a_damaged_embedded_chroma_gives_way_to_the_array(tmp_path: Path) -> None:
    small_build(FICHES, tmp_path / "index")
    generation = Generation.open_published(tmp_path / "index")
    vector = SmallEncoder().query("Que sont les quatre C ?").vector
    whole = open_dense(generation, exact_limit=0)
    expected = [row for row, _ in whole.nearest(vector, 5)]
    whole.close()
    for file in sorted(p for p in (generation.folder / "chroma").rglob("*") if p.is_file()):
        data = file.read_bytes()
        file.write_bytes(data[: len(data) // 2])
        dense = open_dense(generation, exact_limit=0)
        assert [row for row, _ in dense.nearest(vector, 5)] == expected
        dense.close()
        file.write_bytes(data)
    generation.close()
