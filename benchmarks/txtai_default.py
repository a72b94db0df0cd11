"""What txtai does by default, in its own environment: hybrid Embeddings with content on the model that it is given. Its own
reader of PDF, Textractor, wants Java or Docling: pages are read by pypdf, one text a page. Prints one JSON line.

python txtai_default.py FOLDER MODEL WORK
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

QUESTION = "Qu’est-ce que la prime à l’alliance ?"


def main(folder: str, model: str, work: str) -> None:
    from pypdf import PdfReader
    from txtai import Embeddings

    instructions = {"query": "query: ", "data": "passage: "}
    embeddings = Embeddings(path=model, hybrid=True, content=True, instructions=instructions, gpu=False)
    embeddings.index(["chauffe"])  # the model is loaded before the clock, as ours is
    started, before = time.perf_counter(), _cpu()
    pages = [p.extract_text() for path in sorted(Path(folder).rglob("*.pdf")) for p in PdfReader(path).pages]
    embeddings.index(pages)
    embeddings.save(work)
    wall, cpu = time.perf_counter() - started, _cpu() - before
    times = []
    for _ in range(20):
        at = time.perf_counter()
        embeddings.search(QUESTION, 5)
        times.append(time.perf_counter() - at)
    found = {
        "pieces": embeddings.count(),
        "wall_s": wall,
        "cpu_s": cpu,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "query_p50_ms": sorted(times)[10] * 1000,
    }
    print(json.dumps(found))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(*sys.argv[1:4])
