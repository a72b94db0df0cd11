"""What every benchmark shares: the machine's facts, times with the processor's share, a table, a JSON file.

The machine may be busy with other work: CPU seconds (user + system) stand beside wall time, runs that are compared take
turns, and the load is written with the figures.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"  # git-ignored
CACHE = Path(os.environ.get("BENCH_CACHE", Path.home() / ".cache" / "boussole17" / "bench"))
BIN = Path(sys.executable).parent


@dataclass
class Spent:
    wall: float = 0.0
    cpu: float = 0.0


def cpu_seconds() -> float:
    """User and system seconds of this process and of its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@contextmanager
def spent() -> Iterator[Spent]:
    found = Spent()
    wall, cpu = time.perf_counter(), cpu_seconds()
    try:
        yield found
    finally:
        found.wall, found.cpu = time.perf_counter() - wall, cpu_seconds() - cpu


def run(command: Sequence[str | Path], **environment: str) -> tuple[Spent, str, int]:
    """Run a command to its end: what it spent, what it printed, its peak memory in MiB."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    with spent() as found:
        process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, text=True, env=env, cwd=ROOT)
        peak = 0
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        peak = usage.ru_maxrss // 1024
    if status:
        raise SystemExit(f"{' '.join(map(str, command))} : statut {os.waitstatus_to_exitcode(status)}")
    found.cpu = usage.ru_utime + usage.ru_stime
    return found, output, peak


def free_port() -> int:
    """A port of this machine that nobody listens to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile, in milliseconds."""
    values = np.array(seconds) * 1000
    return {"p50_ms": round(float(np.median(values)), 1), "p95_ms": round(float(np.percentile(values, 95)), 1)}


def folder_mib(folder: Path) -> float:
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 2**20, 1)


def memory_mib(pid: int | None = None) -> dict[str, float]:
    """Resident memory, and the part of it that is this process's own (the rest are files that the system may drop)."""
    found = psutil.Process(pid).memory_full_info()
    return {"rss_mib": round(found.rss / 2**20), "own_mib": round(found.uss / 2**20)}


def machine() -> dict[str, Any]:
    model = next(
        (line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), platform.machine()
    )
    flags = next((line.split(":")[1].split() for line in _cpuinfo() if line.startswith("flags")), [])
    packages = ("torch", "numpy", "chromadb", "bm25s", "llama-index-core", "sentence-transformers")
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "vector_units": sorted({"avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16"} & set(flags)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_1_5_15": [round(x, 1) for x in os.getloadavg()],
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in packages},
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip(),
    }


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def report(name: str, rows: Sequence[Mapping[str, Any]], before: Mapping[str, Any] | None = None) -> None:
    """Print the rows as a table and write them with the machine's facts (`before`: taken when the benchmark began)."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[_shown(row.get(head, "")) for head in heads] for row in rows]
    widths = [max(len(line[i]) for line in [heads, *cells]) for i in range(len(heads))]
    for line in [heads, ["-" * w for w in widths], *cells]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    now = machine()
    print(f"({now['cpu']}, {now['cores']} cœurs, charge {now['load_1_5_15'][0]})", flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    whole = {
        "benchmark": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": now,
        "rows": list(rows),
    }
    if before is not None:
        whole["load_at_start"] = before["load_1_5_15"]
    (RESULTS / f"{name}.json").write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")


def _shown(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) and abs(value) < 100 else str(value)
