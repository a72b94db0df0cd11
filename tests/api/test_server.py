"""`boussole serve` as an operator runs it: processes, signals, slow and huge requests, a new generation, a prefix."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil
import pytest
from chromadb.errors import NotFoundError
from servers import Keyed, command, serving, start_redis

from api.app import create_app
from api.keys import KeyStore
from api.protocol import BoundedHttp
from rag.embedding import Encoder
from rag.settings import Settings
from rag.vectors import http_client

pytestmark = pytest.mark.slow
QUESTION = "Combien de catalyseurs territoriaux ont émergé en France ?"


def test_a_port_that_is_taken_is_told_at_once(settings: Settings, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = [sys.executable, "-m", "ui.cli", "serve", "--port", port, "--index", str(settings.index)]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "prise ou refusée" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_answer_on_its_way_ends_before_the_server_stops(settings: Settings, tmp_path: Path) -> None:
    with command(settings, tmp_path) as (running, address):
        body = {"question": QUESTION, "stream": True}
        with httpx.stream("POST", f"{address}/v1/ask", json=body, timeout=60) as response:
            events = response.iter_lines()
            first = next(events)
            running.send_signal(signal.SIGTERM)
            rest = list(events)
        assert first.startswith("event:")
        assert "event: done" in rest
        assert running.wait(40) in (0, -signal.SIGTERM)


def test_slow_and_huge_requests_hold_nothing(keyed: Keyed, monkeypatch: pytest.MonkeyPatch) -> None:
    host, _, port = keyed.address.removeprefix("http://").partition(":")
    head = f"POST /v1/ask HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {keyed.secret}\r\n"
    monkeypatch.setattr(BoundedHttp, "head_seconds", 0.5)
    monkeypatch.setattr("api.limits.BODY_SECONDS", 0.5)

    def told(sent: bytes) -> str:
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(sent)
            return connection.recv(400).decode("latin-1").splitlines()[0]

    assert "408" in told(b"GET /v1/ask HTTP/1.1\r\nX-Slow: ")
    assert "408" in told(f"{head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{".encode())
    assert "431" in told(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 400_000)
    assert "400" in told("GET /é HTTP/1.1\r\n\r\n".encode())
    monkeypatch.setattr("api.limits.BODY_SECONDS", 20)
    huge = httpx.post(
        f"{keyed.address}/v1/ask",
        content=(b"x" * 1_000_000 for _ in range(100)),
        headers={"Authorization": f"Bearer {keyed.secret}", "Content-Type": "application/json"},
        timeout=60,
    )
    assert huge.status_code == 413
    assert httpx.get(f"{keyed.address}/healthz").status_code == 200


def test_who_leaves_frees_the_place(settings: Settings, encoder: Encoder) -> None:
    app = create_app(settings, encoder)
    with serving(app) as address:
        for _ in range(12):
            with httpx.stream(
                "POST", f"{address}/v1/ask", json={"question": QUESTION, "stream": True}, timeout=60
            ) as r:
                next(r.iter_lines())  # then hang up
        figures = httpx.get(f"{address}/metrics").text
        deadline = time.monotonic() + 20
        while "boussole_queue_working 0.0" not in figures and time.monotonic() < deadline:
            time.sleep(0.2)
            figures = httpx.get(f"{address}/metrics").text
        assert "boussole_queue_working 0.0" in figures


def test_a_new_generation_is_taken_up_without_a_dropped_request(
    settings: Settings, encoder: Encoder, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    shutil.copytree(settings.index, index)
    old = (index / "CURRENT").read_text().strip()
    moved = settings.model_copy(update={"index": index, "data": tmp_path})
    statuses: list[int] = []
    stop = threading.Event()
    with serving(create_app(moved, encoder)) as address:

        def ask() -> None:
            while not stop.is_set():
                statuses.append(httpx.post(f"{address}/v1/search", json={"query": "alliance"}, timeout=30).status_code)

        asking = threading.Thread(target=ask)
        asking.start()
        shutil.copytree(index / "generations" / old, index / "generations" / "next")
        (index / "CURRENT.new").write_text("next")
        (index / "CURRENT.new").replace(index / "CURRENT")
        deadline = time.monotonic() + 60
        while httpx.get(f"{address}/readyz").json()["index_generation"] != "next" and time.monotonic() < deadline:
            time.sleep(0.2)
        assert httpx.get(f"{address}/readyz").json()["index_generation"] == "next"
        switched = len(statuses)
        while len(statuses) < switched + 3 and time.monotonic() < deadline:
            time.sleep(0.1)
        stop.set()
        asking.join()
    assert len(statuses) >= switched + 3
    assert set(statuses) == {200}


@pytest.mark.parametrize("stripped", [True, False])
def test_behind_a_proxy_under_a_prefix(settings: Settings, encoder: Encoder, tmp_path: Path, stripped: bool) -> None:
    from fastapi.testclient import TestClient

    KeyStore(tmp_path).create("serveur")
    app = create_app(settings.model_copy(update={"root_path": "/boussole", "data": tmp_path}), encoder)
    prefix = "" if stripped else "/boussole"
    with TestClient(app, base_url="https://site.fr", client=("203.0.113.7", 1)) as client:
        assert client.get(f"{prefix}/readyz").status_code == 200
        assert "Path=/boussole/" in client.get(f"{prefix}/").headers["set-cookie"]
        client.cookies.clear()
        assert client.get(f"{prefix}/widget.js").status_code == 200
        assert client.get(f"{prefix}/v1/models").status_code == 401


def test_several_servers_count_together_in_redis(tmp_path: Path) -> None:
    import limits
    from pydantic import SecretStr

    from api.rates import open_rates

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = start_redis(port, tmp_path)
    try:
        shared = Settings(redis_url=SecretStr(f"redis://127.0.0.1:{port}"), data=tmp_path)
        one, two = open_rates(shared), open_rates(shared)
        rate = limits.parse("2/minute")
        assert one.wait(rate, "k") is None
        assert two.wait(rate, "k") is None
        assert (one.wait(rate, "k") or 0) > 0
    finally:
        running.terminate()
        running.wait(10)
    assert one.wait(rate, "k") is None  # Redis is gone: each counts alone, and answers


def test_workers_share_rates_figures_revocations_and_one_chroma_server(settings: Settings, tmp_path: Path) -> None:
    """And they take up a new generation while they are asked: two processes start but once, as that takes a while."""
    index, data = tmp_path / "index", tmp_path / "data"
    shutil.copytree(settings.index, index)
    store = KeyStore(data)
    key, secret = store.create("serveur", rate="100000/minute")
    _, rare = store.create("rare", rate="6/minute")
    _, watch = store.create("mesures", scopes=["metrics"])
    moved = settings.model_copy(update={"index": index})
    headers = _bearer(secret)
    seen: list[tuple[int, str]] = []
    stop = threading.Event()
    with command(moved, data, "--workers", "2", BOUSSOLE_EXACT_LIMIT="10") as (running, address):
        family = psutil.Process(running.pid).children(recursive=True)
        chroma = next(p for p in family if p.name() == "chroma")
        port = chroma.cmdline()[chroma.cmdline().index("--port") + 1]
        client = http_client(f"http://127.0.0.1:{port}")

        def served() -> dict[str, int]:
            return {c.name.removeprefix("boussole-"): c.count() for c in client.list_collections()}

        def ask() -> None:
            while not stop.is_set():
                r = httpx.post(f"{address}/v1/search", json={"query": "alliance"}, headers=headers, timeout=60)
                seen.append((r.status_code, r.headers.get("x-index-generation", "")))

        def taken_up() -> bool:
            figures = httpx.get(f"{address}/metrics", headers=_bearer(watch)).text
            try:
                return 'boussole_index{generation="next"} 2.0' in figures and served() == {"next": whole}
            except NotFoundError:  # the old collection went between the list and its count: asked again
                return False

        statuses = [  # each on a connection of its own, so that both workers are met
            httpx.post(f"{address}/v1/ask", json={"question": "bonjour"}, headers=_bearer(rare), timeout=60).status_code
            for _ in range(9)
        ]
        assert statuses.count(429) == 3
        figures = httpx.get(f"{address}/metrics", headers=_bearer(watch)).text
        counted = re.findall(r'boussole_requests_total\{[^}]*route="/v1/ask"[^}]*\} (\d+)', figures)
        assert sum(map(int, counted)) >= 6
        assert "boussole_queue_waiting 0.0" in figures
        old = (index / "CURRENT").read_text().strip()
        assert re.search(rf'boussole_index\{{generation="{old}"\}} [12]', figures)
        assert list(served()) == [old]
        whole = served()[old]
        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        shutil.copytree(index / "generations" / old, index / "generations" / "next")
        (index / "CURRENT.new").write_text("next")
        (index / "CURRENT.new").replace(index / "CURRENT")
        deadline = time.monotonic() + 200
        while not taken_up() and time.monotonic() < deadline:
            time.sleep(0.2)
        switched = len(seen)
        while len(seen) < switched + 10 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert served() == {"next": whole}
        assert set(seen) == {(200, old), (200, "next")}
        opened = [file.path for p in family if p != chroma for file in p.open_files()]
        assert opened
        assert [path for path in opened if "chroma.sqlite3" in path] == []
        chroma.kill()  # the array stands in, and another server is started
        died = len(seen)
        while (len(seen) < died + 10 or not _answers(port)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert _answers(port)
        stop.set()
        for thread in asking:
            thread.join()
        assert {status for status, _ in seen} == {200}  # not one was dropped
        store.revoke(key.id)
        assert {httpx.get(f"{address}/v1/models", headers=headers).status_code for _ in range(8)} == {401}
        lines = [json.loads(line) for line in running.lines if line.startswith("{")]  # type: ignore[attr-defined]
        requests = [line for line in lines if line["logger"] == "boussole.requests"]
        assert {line["route"] for line in requests} >= {"/v1/ask", "/metrics"}
        assert all(line["request"] for line in requests)
        assert "bonjour" not in json.dumps(lines)
        family = psutil.Process(running.pid).children(recursive=True)
    assert psutil.wait_procs(family, timeout=20)[1] == []


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def _answers(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0
