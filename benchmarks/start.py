"""Cold starts: `--help`, a question, the server ready. Each is a new process.

python -m benchmarks.start INDEX [ROUNDS]
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import httpx
import psutil

from benchmarks.common import ROOT, free_port, machine, report, run

QUESTION = "Qu’est-ce que la prime à l’alliance ?"


def serve_ready(index: Path) -> tuple[float, float]:
    """Wall and CPU seconds until /readyz answers."""
    port = free_port()
    started = time.perf_counter()
    command = [sys.executable, "-m", "ui.cli", "serve", "--index", str(index), "--port", str(port)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd=ROOT)
    try:
        while time.perf_counter() - started < 120:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                    used = psutil.Process(server.pid).cpu_times()
                    return time.perf_counter() - started, used.user + used.system
            except httpx.HTTPError:
                pass
            time.sleep(0.02)
        raise SystemExit("le serveur n'a pas répondu en 120 s")
    finally:
        server.terminate()
        server.wait(30)


def main(index: Path, rounds: int) -> None:
    start = machine()
    rows = []
    python = [sys.executable, "-m", "ui.cli"]
    commands = {"boussole --help": [*python, "--help"], "boussole ask": [*python, "ask", "--index", index, QUESTION]}
    for name, command in commands.items():
        found = [run(command) for _ in range(rounds + 1)][1:]
        walls, cpus = [f[0].wall for f in found], [f[0].cpu for f in found]
        rows.append(
            {"what": name, "wall_s": round(median(walls), 2), "cpu_s": round(median(cpus), 2), "peak_mib": found[0][2]}
        )
    ready = [serve_ready(index) for _ in range(rounds)]
    rows.append(
        {
            "what": "boussole serve, prêt",
            "wall_s": round(median(r[0] for r in ready), 2),
            "cpu_s": round(median(r[1] for r in ready), 2),
        }
    )
    report("start", rows, start)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else 3)
