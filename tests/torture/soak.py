"""A real server under load: memory and descriptors flat, overload shed, slow clients harmless, opinions kept after kill -9.

`python tests/torture/soak.py --minutes 30 [--workers 1]` (`make torture` runs 8). Builds its own index with the real model.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from statistics import median

import httpx
import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from tally import Tally  # noqa: E402

ASK = "/v1/ask"
RATE = "1000000/minute"


def questions() -> list[str]:
    lines = (ROOT / "evals" / "questions" / "dev.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["question"] for line in lines if line.strip()]


class Server:
    """`boussole serve` of an index made for it."""

    def __init__(self, folder: Path, workers: int, index: Path | None) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "BOUSSOLE_INDEX": str(index or folder / "index"),
            "BOUSSOLE_DATA": str(folder / "var"),
            "BOUSSOLE_WORKERS": str(workers),
        }
        if index is None:
            self.boussole("index")
        made = self.boussole("keys", "create", "--name", "charge", "--rate", RATE, "--json")
        self.secret = next(v for v in json.loads(made).values() if isinstance(v, str) and len(v) > 30)
        self.headers = {"Authorization": f"Bearer {self.secret}"}
        self.log = folder / "log.jsonl"
        self.port = 0
        self.start()

    def boussole(self, *arguments: str) -> str:
        line = [sys.executable, "-m", "ui.cli", *arguments]
        return subprocess.run(line, env=self.environment, check=True, capture_output=True, text=True).stdout

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        line = [sys.executable, "-m", "ui.cli", "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(line, env=self.environment, stderr=log, stdout=log)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.3)
        raise AssertionError(self.log.read_text(encoding="utf-8")[-2000:])

    def measure(self) -> tuple[float, int]:
        """Megabytes and descriptors of the server and its children."""
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        return sum(p.memory_info().rss for p in family) / 2**20, sum(p.num_fds() for p in family)

    def kill(self) -> None:
        for child in psutil.Process(self.process.pid).children(recursive=True):
            child.kill()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()


def load(server: Server, clients: int, seconds: float, seen: Counter[int], times: list[tuple[float, float]]) -> None:
    """`clients` that ask one question after another: plain, streamed, searched, some hanging up."""
    asked, until = questions(), time.monotonic() + seconds

    def one(seed: int) -> None:
        chance = random.Random(seed)
        with httpx.Client(base_url=server.address, headers=server.headers, timeout=60) as client:
            while time.monotonic() < until:
                body, started = {"question": chance.choice(asked)}, time.monotonic()
                try:
                    match chance.randrange(10):
                        case 0 | 1:
                            status = client.post("/v1/search", json={"query": body["question"]}).status_code
                        case 2 | 3:
                            with client.stream("POST", ASK, json=body | {"stream": True}) as response:
                                status = response.status_code
                                for _ in response.iter_lines():
                                    if chance.random() < 0.05:
                                        break  # hang up
                        case 4:
                            status = client.get("/v1/documents").status_code
                        case _:
                            status = client.post(ASK, json=body).status_code
                except httpx.TransportError:
                    status = 0
                seen[status] += 1
                times.append((started, time.monotonic() - started))
                if status in (429, 503):
                    time.sleep(0.2)

    threads = [threading.Thread(target=one, args=(seed,)) for seed in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def steady(server: Server, tally: Tally, seconds: float) -> None:
    """Two clients for all the time; memory, descriptors and pace of the last third beside the second."""
    seen: Counter[int] = Counter()
    times: list[tuple[float, float]] = []
    samples: list[tuple[float, int]] = []
    started = time.monotonic()
    loading = threading.Thread(target=load, args=(server, 2, seconds, seen, times))
    loading.start()
    while loading.is_alive():
        loading.join(2)
        samples.append(server.measure())
    third = len(samples) // 3
    before, after = samples[third : 2 * third], samples[2 * third :]
    memory = (median(m for m, _ in before), median(m for m, _ in after))
    descriptors = (median(d for _, d in before), max(d for _, d in after[-5:]))
    paces = [
        [t for at, t in times if a <= at - started < b]
        for a, b in ((seconds / 3, 2 * seconds / 3), (2 * seconds / 3, seconds))
    ]
    pace = (median(paces[0]), median(paces[1]))
    tally.outcomes[f"{sum(seen.values())} requests {dict(seen)}"] += 1
    tally.outcomes[f"memory MB {memory[0]:.0f} then {memory[1]:.0f}, first {samples[0][0]:.0f}"] += 1
    tally.outcomes[f"descriptors {descriptors[0]:.0f} then {descriptors[1]}"] += 1
    tally.outcomes[f"median s {pace[0]:.3f} then {pace[1]:.3f}"] += 1
    for kind, kept in (
        ("memory flat (5 %)", memory[1] <= 1.05 * memory[0]),
        ("descriptors flat", descriptors[1] <= descriptors[0] + 10),
        ("no slow-down (x2, shared machine)", pace[1] <= 2 * pace[0]),
        ("no lost request", not set(seen) - {200, 429, 503}),
    ):
        tally.survived(kind, "kept") if kept else tally.lost(kind, f"{seen} {memory} {descriptors} {pace}")


def overload(server: Server, tally: Tally) -> None:
    """Two hundred clients at once for fifteen seconds: refused with 429 or 503, never by silence; then all is as before."""
    seen: Counter[int] = Counter()
    load(server, 200, 20, seen, [])
    tally.outcomes[f"overload {dict(seen)}"] += 1
    if set(seen) - {200, 429, 503} or not seen[200]:
        tally.lost("overload", str(seen))
    else:
        tally.survived("overload", "shed" if set(seen) & {429, 503} else "all answered")
    started = time.monotonic()
    while time.monotonic() - started < 20:
        if (
            httpx.post(
                server.address + ASK, json={"question": "C'est quoi l'ODD 17 ?"}, headers=server.headers, timeout=30
            ).status_code
            == 200
        ):
            tally.survived("recovery", f"in {time.monotonic() - started:.0f} s")
            return
        time.sleep(0.5)
    tally.lost("recovery", "not within 20 s")


def slow_clients(server: Server, tally: Tally) -> None:
    """Forty connections that send or read a byte now and then; others are answered meanwhile."""
    held: list[socket.socket] = []
    for number in range(40):
        slow = socket.create_connection(("127.0.0.1", server.port))
        head = f"POST {ASK} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.secret}\r\n"
        if number % 2:
            body = json.dumps({"question": "C'est quoi l'ODD 17 ?", "stream": True})
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        slow.sendall(head.encode())
        held.append(slow)
    times = []
    for _ in range(10):
        started = time.monotonic()
        status = httpx.post(
            server.address + ASK, json={"question": "Que sont les quatre C ?"}, headers=server.headers, timeout=30
        ).status_code
        times.append(time.monotonic() - started)
        if status != 200:
            tally.lost("slow clients", f"status {status}")
    for slow in held:
        slow.close()
    tally.survived("slow clients", f"others answered in {max(times):.1f} s at most")


def killed(server: Server, tally: Tally, turns: int = 5) -> None:
    """Opinions that were accepted (204 or 200) are there after kill -9, and the server starts again."""
    sent: set[str] = set()
    for turn in range(turns):
        stop = threading.Event()

        def give(turn: int = turn, stop: threading.Event = stop) -> None:
            number = 0
            while not stop.is_set():
                identifier = f"{turn:08x}{number:024x}"
                try:
                    answer = httpx.post(
                        f"{server.address}/v1/feedback",
                        json={"answer_id": identifier, "rating": 1, "comment": "bien"},
                        headers=server.headers,
                    )
                except httpx.TransportError:
                    return
                if answer.is_success:
                    sent.add(identifier)
                number += 1

        giving = threading.Thread(target=give)
        giving.start()
        time.sleep(random.Random(turn).uniform(0.5, 1.5))
        server.kill()
        stop.set()
        giving.join()
        server.start()
    with sqlite3.connect(server.folder / "var" / "feedback.sqlite") as db:
        kept = {i for (i,) in db.execute("SELECT answer_id FROM feedback")}
        sound = db.execute("PRAGMA integrity_check").fetchone()[0]
    if not sent or sent - kept or sound != "ok":
        tally.lost("kill -9", f"{len(sent)} accepted, {len(sent - kept)} lost, {sound}")
    for _ in range(turns):
        tally.survived("kill -9", f"{len(sent)} opinions accepted, all kept")


def silent_logs(server: Server, tally: Tally) -> None:
    """Nothing of what was asked, nor a key, in what the server wrote."""
    written = server.log.read_text(encoding="utf-8")
    leaked = [q for q in questions() if q in written]
    if leaked or server.secret in written or "Traceback" in written:
        tally.lost(
            "logs", f"{len(leaked)} questions, key: {server.secret in written}, traceback: {'Traceback' in written}"
        )
    else:
        tally.survived("logs", f"{len(re.findall('/v1/ask', written))} lines on questions, none of their text")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--index", type=Path, help="an index at hand, rather than one made for this")
    given = parser.parse_args()
    tally = Tally("soak")
    with tempfile.TemporaryDirectory(prefix="boussole-soak-") as folder:
        server = Server(Path(folder), given.workers, given.index)
        try:
            load(server, 2, 20, Counter(), [])  # warm: caches are full before memory is compared
            steady(server, tally, given.minutes * 60)
            overload(server, tally)
            slow_clients(server, tally)
            killed(server, tally)
            silent_logs(server, tally)
        finally:
            server.stop()
    return tally.end()


if __name__ == "__main__":
    raise SystemExit(main())
