"""What the scripts of the other pipelines share: one clock, one question, one JSON line. Standard library only, since each
runs in an environment of its own."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable

QUESTION = "Qu’est-ce que la prime à l’alliance ?"
ASKED = 20  # times


def told(index: Callable[[], int], ask: Callable[[str], object]) -> None:
    """Run `index`, which gives its number of pieces, under the clock; ask the question; print the figures."""
    started, before = time.perf_counter(), _cpu()
    pieces = index()
    wall, cpu = time.perf_counter() - started, _cpu() - before
    times = []
    for _ in range(ASKED):
        at = time.perf_counter()
        ask(QUESTION)
        times.append(time.perf_counter() - at)
    found = {
        "pieces": pieces,
        "wall_s": wall,
        "cpu_s": cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "query_p50_ms": sorted(times)[ASKED // 2] * 1000,
    }
    print(json.dumps(found))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
