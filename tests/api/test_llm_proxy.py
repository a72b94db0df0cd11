"""Each fault of a language model's server, met by /v1/ask, by its stream and by the command: verified or extractive, in time."""

from __future__ import annotations

import gc
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from llm_proxy import LIES, SECRET, WAYS, Proxy
from pydantic import SecretStr
from servers import serving

import rag.generate
from api.app import create_app
from corpus.errors import LLMError
from rag.embedding import Encoder
from rag.settings import Settings

pytestmark = pytest.mark.slow
QUESTION = "Combien de catalyseurs territoriaux ont émergé en France ?"
LIMIT = 2.0  # seconds left to the model
SLACK = 25.0  # seconds for all the rest, on a busy machine: a drip lasts for ever
NEVER = (
    SECRET,
    "8123",
    "Patagoni",
    "1987",
    "lunaires",
    "Dupont",
    "Fauxnom",
    "passages numérotés",
    "script",
    "巴塔哥尼亚",
)
# Where « 8123 » may come up by itself.
CHANCE = re.compile(r'"(?:id|index_generation)":\s*"[^"]*"|"timings_ms":\s*\{[^}]*\}')
LOCAL = Path(__file__).resolve().parents[2] / ".." / "shared" / "tools" / "local_llm.py"
WEIGHTS = Path.home() / ".cache" / "local-llm" / "smollm2-135m-instruct.gguf"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    server = Proxy()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def written(settings: Settings, url: str, data: Path, limit: float = LIMIT) -> Settings:
    given = {"llm_base_url": url, "llm_model": "essai", "llm_timeout": limit, "data": data}
    return settings.model_copy(update=given | {"llm_api_key": SecretStr(SECRET)})


@pytest.fixture(scope="module")
def address(
    settings: Settings, encoder: Encoder, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("proxy")
    with (
        pytest.MonkeyPatch.context() as patch,
        serving(create_app(written(settings, proxy.url, folder), encoder)) as found,
    ):
        patch.setattr(rag.generate, "REST", 0.0)  # so that each question meets the fault
        httpx.post(f"{found}/v1/ask", json={"question": QUESTION}, timeout=60)  # what is loaded once is loaded
        yield found


def sound(answer: dict[str, object], shown: str) -> None:
    """An answer to QUESTION that the corpus proves, and nothing of what the faults put in."""
    assert answer["status"] == "answered"
    assert "350" in str(answer["answer"])
    assert answer["citations"]
    assert [lie for lie in NEVER if lie in CHANCE.sub("", shown)] == []
    assert SECRET not in shown
    assert answer["synthesizer"] == "extractive" or answer["fallback"] is None


def asked(address: str) -> tuple[dict[str, object], str]:
    response = httpx.post(f"{address}/v1/ask", json={"question": QUESTION}, timeout=60)
    assert response.status_code == 200
    return response.json(), response.text


def streamed(address: str) -> tuple[dict[str, object], str]:
    with httpx.stream("POST", f"{address}/v1/ask", json={"question": QUESTION, "stream": True}, timeout=60) as response:
        assert response.status_code == 200
        text = response.read().decode().replace("\r", "")
    done = text.rpartition("event: done\ndata: ")[2]
    return json.loads(done.partition("\n")[0]), text


@pytest.mark.parametrize("way", [way for way in WAYS if way != "refused"])
def test_a_fault_of_the_model_never_reaches_the_reader(address: str, proxy: Proxy, way: str) -> None:
    proxy.way, proxy.asked = way, 0
    for ask in (asked, streamed):
        before, started = proxy.asked, time.monotonic()
        answer, shown = ask(address)
        assert time.monotonic() - started < LIMIT + SLACK
        assert proxy.asked > before, (answer["fallback"], time.monotonic() - started)  # the fault was met
        sound(answer, shown)
        if way == "healthy":
            assert (answer["synthesizer"], answer["model"]) == ("llm", "essai")
        elif way in LIES:
            assert answer["fallback"] in ("llm_unverified", "llm_unavailable")  # the latter on a very busy machine


def test_no_connection_is_left_to_the_garbage_collector(settings: Settings, proxy: Proxy, tmp_path: Path) -> None:
    """One closed by it, in a thread that holds the lock of the connections, would hang every later question to the model."""
    writer = rag.generate.Writer(written(settings, proxy.url, tmp_path))
    left = {}
    gc.disable()
    try:
        for proxy.way in (way for way in WAYS if not way.startswith(("refused", "hangs", "drips"))):
            writer._rests_until = 0.0
            with suppress(LLMError):
                list(writer.write(QUESTION, ()))
            pool = writer._llm()._http_client._transport._pool
            for _ in range(50):  # its thread closes them once the answer is told
                left[proxy.way] = [str(each) for each in pool.connections if not each.is_idle()]
                if not left[proxy.way]:
                    break
                time.sleep(0.05)
    finally:
        gc.enable()
    assert {way: those for way, those in left.items() if those} == {}


@pytest.mark.parametrize("way", ["refused", "drips empty lines", "leaked secret"])
def test_the_command_answers_too(settings: Settings, proxy: Proxy, tmp_path: Path, way: str) -> None:
    proxy.way = way
    environment = os.environ | {
        "BOUSSOLE_INDEX": str(settings.index),
        "BOUSSOLE_DATA": str(tmp_path),
        "BOUSSOLE_LLM_BASE_URL": proxy.url,
        "BOUSSOLE_LLM_API_KEY": SECRET,
        "BOUSSOLE_LLM_TIMEOUT": str(LIMIT),
    }
    line = [sys.executable, "-m", "ui.cli", "ask", QUESTION, "--json"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    sound(json.loads(done.stdout), done.stdout + done.stderr)


@pytest.fixture(scope="module")
def real() -> Iterator[str]:
    """The address of a real local server (SmolLM2), where this machine has it."""
    if not LOCAL.exists() or not WEIGHTS.exists():
        pytest.skip("le modèle local (../shared/tools/local_llm.py --model small) n'est pas sur cette machine")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [sys.executable, str(LOCAL), "--model", "small", "--port", str(port)]
    running = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield next(line.split()[1] for line in running.stdout if line.startswith("READY"))
    finally:
        running.terminate()
        running.wait(20)


@pytest.mark.parametrize("way", ["healthy", "cut in a token"])
def test_a_real_model_behind_the_proxy(
    settings: Settings, encoder: Encoder, tmp_path: Path, real: str, way: str
) -> None:
    proxy = Proxy(real)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    proxy.way = way
    with serving(create_app(written(settings, proxy.url, tmp_path, 12.0), encoder)) as address:
        started = time.monotonic()
        answer, shown = asked(address)
    proxy.shutdown()
    proxy.server_close()
    assert time.monotonic() - started < 12 + SLACK
    assert proxy.asked
    sound(answer, shown)
