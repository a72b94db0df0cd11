"""Past one machine: one process with its own index, then the same behind a Chroma server, then two of them side by side.

Same questions, same answers expected (text and citations). Then a new index is published, and Chroma is stopped and
started again, while questions come. All vectors go through Chroma (BOUSSOLE_EXACT_LIMIT=0), however few.

python -m benchmarks.replicas [QUESTIONS]
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.common import BIN, ROOT, free_port, machine, percentiles, report, run
from rag.settings import STARTER_CORPUS

CLIENTS = 8
TIMEOUT = 60.0  # seconds for one answer


@dataclass(frozen=True)
class Reply:
    status: int
    seconds: float
    generation: str
    said: tuple[Any, ...]  # the answer's text, then the document, page and quote of each citation


@contextmanager
def running(line: Sequence[str | Path], ready: str, environment: dict[str, str]) -> Iterator[None]:
    """A server, from its first right answer at `ready` until the end of the block. Raises SystemExit if there is none."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    process = subprocess.Popen(
        [str(part) for part in line], env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{line[0]} n'a pas démarré.")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def ask(client: httpx.Client, address: str, question: str) -> Reply:
    started = time.perf_counter()
    response = client.post(f"{address}/v1/ask", json={"question": question})
    seconds = time.perf_counter() - started
    if response.status_code != 200:
        return Reply(response.status_code, seconds, "", ())
    body = response.json()
    quotes = ((c["document_id"], c["page"], c["quote"]) for c in body["citations"])
    return Reply(200, seconds, body["index_generation"], (body["status"], body["answer"], *quotes))


def load(addresses: Sequence[str], key: str, questions: Sequence[str]) -> tuple[list[Reply], float]:
    """All questions by CLIENTS at once, each to the next address in turn: the replies in order, and the seconds spent."""
    turns = list(zip(questions, itertools.cycle(addresses), strict=False))
    started = time.perf_counter()
    with (
        httpx.Client(timeout=TIMEOUT, headers={"Authorization": f"Bearer {key}"}) as client,
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        replies = list(pool.map(lambda turn: ask(client, turn[1], turn[0]), turns))
    return replies, time.perf_counter() - started


def row(what: str, replies: Sequence[Reply], seconds: float, expected: Sequence[Reply]) -> dict[str, Any]:
    same = sum(a.said == b.said for a, b in zip(replies, expected, strict=True))
    return {
        "what": what,
        "answers_per_s": round(len(replies) / seconds, 1),
        **percentiles([reply.seconds for reply in replies]),
        "failed": sum(reply.status != 200 for reply in replies),
        "same_answers": f"{same}/{len(replies)}",
    }


def during(
    what: str, event: Callable[[], None], addresses: Sequence[str], key: str, questions: Sequence[str]
) -> tuple[list[Reply], float]:
    """The replies to questions asked again and again while something happens."""
    happening = threading.Thread(target=event)
    replies: list[Reply] = []
    seconds = 0.0
    happening.start()
    while happening.is_alive():
        found, spent = load(addresses, key, questions)
        replies += found
        seconds += spent
    happening.join()
    print(f"{what} : {len(replies)} questions", flush=True)
    return replies, seconds


def main(count: int) -> None:
    before = machine()
    written = (ROOT / "evals" / "questions" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [q["question"] for q in map(json.loads, written) if not q.get("history")]
    questions = list(itertools.islice(itertools.cycle(asked), count))
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="boussole-replicas-") as name, ExitStack() as stack:
        work = Path(name)
        files = work / "files"
        files.mkdir()
        for file in sorted(STARTER_CORPUS.glob("*.md")):
            shutil.copy(file, files)
        cli: list[str | Path] = [sys.executable, "-m", "ui.cli"]
        data = {"BOUSSOLE_DATA": str(work / "data"), "BOUSSOLE_SOURCES": str(files)}
        _, key, _ = run([*cli, "keys", "create", "--name", "Mesure", "--rate", "1000000/minute"], **data)
        key = key.strip()

        def serve(index: Path, environment: dict[str, str]) -> str:
            port = free_port()
            address = f"http://127.0.0.1:{port}"
            line = [*cli, "serve", "--index", index, "--port", str(port)]
            stack.enter_context(running(line, f"{address}/readyz", environment))
            load([address], key, questions[:CLIENTS])  # what is loaded once is loaded
            return address

        run([*cli, "index", "--index", work / "own"], **data)
        alone = serve(work / "own", data)
        expected, seconds = load([alone], key, questions)
        rows.append(row("one process, its own index", expected, seconds, expected))

        port = free_port()
        chroma: list[str | Path] = [BIN / "chroma", "run", "--path", work / "chroma", "--port", str(port)]
        beat = f"http://127.0.0.1:{port}/api/v2/heartbeat"
        shared = data | {"BOUSSOLE_CHROMA_URL": f"http://127.0.0.1:{port}", "BOUSSOLE_EXACT_LIMIT": "0"}
        with running(chroma, beat, {}):
            run([*cli, "index", "--index", work / "shared"], **shared)
            first = serve(work / "shared", shared)
            replies, seconds = load([first], key, questions)
            rows.append(row("one process, Chroma server", replies, seconds, expected))
            both = [first, serve(work / "shared", shared)]
            replies, seconds = load(both, key, questions)
            rows.append(row("two processes, Chroma server", replies, seconds, expected))

            new = "# Une fiche de plus\n\nCette fiche arrive pendant que des questions sont posées.\n"
            (files / "fiche-de-plus.md").write_text(new, encoding="utf-8")
            publish = lambda: run([*cli, "index", "--index", work / "shared"], **shared)  # noqa: E731
            replies, seconds = during(
                "publication", lambda: bool(publish()) and time.sleep(3), both, key, questions[:40]
            )
            told = row("an index published meanwhile", replies, seconds, replies)
            rows.append(told | {"same_answers": f"{len({reply.generation for reply in replies})} generations"})
            expected, _ = load(both, key, questions)

        replies, seconds = load(both, key, questions)
        rows.append(row("Chroma server stopped", replies, seconds, expected))
        with running(chroma, beat, {}):
            time.sleep(11)  # a server that failed is asked again after 10 s (rag/vectors.py)
            replies, seconds = load(both, key, questions)
            rows.append(row("Chroma server back", replies, seconds, expected))
    report("replicas", rows, before)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
