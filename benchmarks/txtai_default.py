"""What txtai does by default, in its own environment: hybrid Embeddings with content on the model that it is given. Its own
reader of PDF, Textractor, wants Java or Docling: pages are read by pypdf, one text a page. Prints one JSON line.

python txtai_default.py FOLDER MODEL WORK
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.others import told


def main(folder: str, model: str, work: str) -> None:
    from pypdf import PdfReader
    from txtai import Embeddings

    instructions = {"query": "query: ", "data": "passage: "}
    embeddings = Embeddings(path=model, hybrid=True, content=True, instructions=instructions, gpu=False)
    embeddings.index(["chauffe"])  # the model is loaded before the clock, as ours is

    def index() -> int:
        embeddings.index([p.extract_text() for f in sorted(Path(folder).rglob("*.pdf")) for p in PdfReader(f).pages])
        embeddings.save(work)
        return int(embeddings.count())

    told(index, lambda question: embeddings.search(question, 5))


if __name__ == "__main__":
    main(*sys.argv[1:4])
