"""A second opinion by a model: kept, set beside our own figures, and never a reason to fall."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from desk import Desk

from corpus.errors import ConfigurationError, LLMError
from evals.judge import JUDGED, judge_run, mark
from evals.report import write_report
from evals.run import Run, open_run
from rag.settings import Settings

USEFUL = "Note de 1 (elle n'y répond pas)"


class Judge(ThreadingHTTPServer):
    """Speaks the OpenAI form. `faithful`, `helpful`: what it replies; a status or a body that isn't JSON, where told so."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faithful, self.helpful, self.status, self.broken = "5", "Note : 4.", 200, False
        self.asked: list[str] = []

    def reply(self, prompt: str) -> str:
        return self.helpful if USEFUL in prompt else self.faithful


class _Handler(BaseHTTPRequestHandler):
    server: Judge

    def log_message(self, *_: object) -> None:
        return None

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = sent["messages"][-1]["content"]
        self.server.asked.append(prompt)
        message = {"role": "assistant", "content": self.server.reply(prompt)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        body = b"{{{{ not json" if self.server.broken else json.dumps(whole).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def judge() -> Iterator[Judge]:
    server = Judge()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def judging(judge: Judge, tmp_path: Path) -> Settings:
    address = f"http://127.0.0.1:{judge.server_address[1]}/v1"
    return Settings(llm_base_url=address, llm_model="juge", llm_timeout=5, cache=tmp_path / "cache")


@pytest.fixture
def measured(accepted_desk: Desk, tmp_path: Path) -> Run:
    shutil.copytree(accepted_desk.folder / "runs" / "01", tmp_path / "run")
    return open_run(tmp_path / "run")


def answered(run: Run) -> int:
    return sum(line.answer is not None and line.answer.status == "answered" for line in run.lines)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [("4", 4), ("Note : 5/5", 5), ("**3**", 3), ("10", None), ("4,5", None), ("aucune", None), ('{"note": 2}', 2)],
)
def test_the_mark_in_a_reply(reply: str, expected: int | None) -> None:
    assert mark(reply) == expected


@pytest.mark.slow
def test_every_answer_is_judged_once_and_shown_beside_our_figures(
    judge: Judge, judging: Settings, measured: Run
) -> None:
    found = judge_run(measured, judging)
    assert (found.n, found.unread) == (answered(measured), 0)
    assert len(judge.asked) == 2 * found.n
    assert found.agreement["helpful"].metric == "facts"
    enough = [
        line.values["facts"] >= 1
        for line in measured.lines
        if line.answer is not None and line.answer.status == "answered" and "facts" in line.values
    ]
    assert found.agreement["helpful"].same == pytest.approx(sum(enough) / len(enough))  # it finds all of them useful
    assert found.agreement["helpful"].kappa is None
    assert judge_run(measured, judging) == found
    assert len(judge.asked) == 2 * found.n  # from the cache
    report = write_report(measured).read_text(encoding="utf-8")
    assert "Avis du modèle juge sur" in report
    assert "accord avec « facts »" in report


@pytest.mark.slow
def test_a_reply_without_a_mark_is_counted_apart(judge: Judge, judging: Settings, measured: Run) -> None:
    judge.faithful = '{"note": "très bien"'
    found = judge_run(measured, judging)
    assert (found.unread, found.faithful) == (found.n, None)
    assert found.helpful is not None
    assert "sans note lisible" in found.in_words()


@pytest.mark.slow
@pytest.mark.parametrize(("status", "broken"), [(500, False), (200, True)], ids=["error 500", "not JSON"])
def test_a_model_that_fails_says_so_in_french_and_loses_no_opinion(
    judge: Judge, judging: Settings, measured: Run, status: int, broken: bool
) -> None:
    def stop(number: int) -> None:
        if number == 3:
            judge.status, judge.broken = status, broken

    with pytest.raises(LLMError, match="ne répond pas"):
        judge_run(measured, judging, stop)
    assert not (measured.folder / JUDGED).exists()
    judge.status, judge.broken = 200, False
    judge.asked.clear()
    found = judge_run(measured, judging)
    assert len(judge.asked) == 2 * (found.n - 3)


@pytest.mark.slow
def test_without_a_model_it_says_what_to_set(measured: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="BOUSSOLE_LLM_BASE_URL"):
        judge_run(measured, Settings(cache=tmp_path))
