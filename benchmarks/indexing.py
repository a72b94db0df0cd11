"""Indexing the starter corpus: whole, against the encoder alone on the same texts (ours, and sentence-transformers) and
against what LlamaIndex, Haystack and txtai do by default, in turn; then 1,000 real sheets against the encoder alone, where
starting up no longer counts; then what a second run costs: 1,000 files unchanged, one page changed.

python -m benchmarks.indexing [ROUNDS]
python -m benchmarks.indexing large [ROUNDS]    the 1,000 sheets alone
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common import CACHE, ROOT, machine, report, run, spent
from benchmarks.texts import sheets
from corpus.chunk import context
from rag.e5 import ensure_model
from rag.settings import STARTER_CORPUS, Settings

ENCODER = ("sentence-transformers", "transformers", "torch")
OTHERS: dict[
    str, tuple[tuple[str, ...], tuple[str, ...]]
] = {  # environment: packages in the version that we use; others
    "llamaindex": (
        ("llama-index-core", "llama-index-vector-stores-chroma", "llama-index-embeddings-huggingface", "chromadb"),
        ("llama-index-readers-file", "llama-index-retrievers-bm25", "pypdf"),
    ),
    "haystack": (("chromadb",), ("haystack-ai", "chroma-haystack", "sentence-transformers-haystack", "pypdf")),
    "txtai": ((), ("txtai", "pypdf")),
}
PIPELINES = {  # name in the table: environment, script, its first arguments
    "LlamaIndex, par défaut": ("llamaindex", "llamaindex_default.py", ()),
    "Haystack, en mémoire": ("haystack", "haystack_default.py", ("memory",)),
    "Haystack, Chroma": ("haystack", "haystack_default.py", ("chroma",)),
    "txtai": ("txtai", "txtai_default.py", ()),
}
OURS = "Boussole 17"
FILES, WORDS = 1000, 60


def environment(name: str) -> Path:
    """Another pipeline's own environment, made once; its Python."""
    home = CACHE / name
    python = home / "bin" / "python"
    if not (home / ".installed").exists():
        same, others = OTHERS[name]
        subprocess.run([sys.executable, "-m", "venv", "--clear", home], check=True)
        pins = [f"{package}=={version(package)}" for package in (*same, *ENCODER)]
        subprocess.run([str(part) for part in (python, "-m", "pip", "install", "-q", *pins, *others)], check=True)
        (home / ".installed").touch()
    return python


def ours(work: Path, sources: Path) -> dict[str, Any]:
    """One whole build, then the encoder alone on the very texts that it embedded; in a process of its own."""
    from rag.ahead import import_heavy
    from rag.embedding import load_encoder
    from rag.generation import Generation
    from rag.index import build

    import_heavy()  # before the clock starts, as in the others
    settings = Settings()
    encoder = load_encoder(settings)
    with spent() as whole:
        made = build([sources], work, lambda: encoder, settings.embedding_model)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    generation = Generation.open_published(work)
    chunks = [generation.chunk(row) for row in range(len(generation))]
    titles = {d.id: d.title for d in generation.documents.values()}
    contexts = [context(titles[c.document_id], c.section) for c in chunks]
    texts = [c.text for c in chunks]
    encoder = load_encoder(settings)  # a build lets its own go
    with spent() as raw:
        encoder.passages(contexts, texts)
    tokens = sum(encoder.count_tokens(f"{a}\n{b}") for a, b in zip(contexts, texts, strict=True))
    found = {"pieces": made.chunks, "tokens": tokens, "wall_s": whole.wall, "cpu_s": whole.cpu, "peak_mib": peak}
    found |= {"raw_wall_s": raw.wall, "raw_cpu_s": raw.cpu}
    if sources != STARTER_CORPUS:
        return found
    from sentence_transformers import SentenceTransformer  # after the peak was taken: it isn't part of ours

    plain = SentenceTransformer(str(ensure_model(settings.cache)), device="cpu")
    with spent() as usual:  # what the same texts take with the library's own loop, in its best batches
        plain.encode([f"passage: {a}\n{b}" for a, b in zip(contexts, texts, strict=True)], batch_size=4)
    return found | {"library_wall_s": usual.wall, "library_cpu_s": usual.cpu}


def in_its_own_process(work: str | Path, sources: Path) -> dict[str, Any]:
    """What `ours` finds, in a new process."""
    _, out, _ = run([sys.executable, "-m", "benchmarks.indexing", "ours", str(work), str(sources)])
    return dict(json.loads(out.splitlines()[-1]))


def compare(rounds: int) -> list[dict[str, Any]]:
    model = ensure_model(Settings().cache)
    pythons = {name: environment(name) for name in OTHERS}
    runs: dict[str, list[dict[str, Any]]] = {OURS: [], **{name: [] for name in PIPELINES}}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as work:
            runs[OURS].append(in_its_own_process(work, STARTER_CORPUS))
        for name, (home, script, first) in PIPELINES.items():
            with tempfile.TemporaryDirectory() as work:
                command = [pythons[home], ROOT / "benchmarks" / script, *first, STARTER_CORPUS, model, work]
                _, out, _ = run(command, HF_HUB_OFFLINE="1")
                runs[name].append(json.loads(out.splitlines()[-1]))
    keys = (
        "pieces",
        "tokens",
        "wall_s",
        "cpu_s",
        "peak_mib",
        "raw_wall_s",
        "raw_cpu_s",
        "library_wall_s",
        "library_cpu_s",
        "query_p50_ms",
    )
    rows = []
    for name, found in runs.items():
        rows.append({"what": name} | {k: round(median(r[k] for r in found), 2) for k in keys if k in found[0]})
    own = rows[0]
    for row in rows:  # how many times what ours takes
        row["wall_times_ours"] = round(row["wall_s"] / own["wall_s"], 2)
        row["cpu_times_ours"] = round(row["cpu_s"] / own["cpu_s"], 2)
    own |= shares(own)
    own["library_alone_times_ours"] = round(own["library_wall_s"] / own["wall_s"], 2)
    first = (
        "what",
        "wall_times_ours",
        "cpu_times_ours",
        "raw_share_of_wall",
        "raw_share_of_cpu",
        "library_alone_times_ours",
    )
    return [{k: row[k] for k in first if k in row} | row for row in rows]


def shares(row: dict[str, Any]) -> dict[str, float]:
    """What part of a whole build the encoder alone takes on the same texts."""
    return {f"raw_share_of_{kind}": round(row[f"raw_{kind}_s"] / row[f"{kind}_s"], 2) for kind in ("wall", "cpu")}


def large(rounds: int) -> list[dict[str, Any]]:
    """FILES real sheets, a file each: the whole build and the encoder alone on the same texts."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "sources"
        sources.mkdir()
        for sheet in islice(sheets(), FILES):
            said = "\n\n".join((f"# {sheet.title}", *sheet.passages))
            (sources / f"{sheet.id}.md").write_text(said + "\n", encoding="utf-8")
        for number in range(rounds):
            work = Path(folder) / f"index-{number}"
            made.append(in_its_own_process(work, sources))
            shutil.rmtree(work)
    row = {key: round(median(one[key] for one in made), 2) for key in made[0]}
    return [{"what": "1 000 fiches réelles"} | shares(row) | row]


def again() -> list[dict[str, Any]]:
    """FILES small files: nothing changed, then one sentence of one file."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        sources, index = Path(folder) / "sources", Path(folder) / "index"
        sources.mkdir()
        for number in range(FILES):
            said = " ".join(f"mot{number}x{i}" for i in range(4))
            (sources / f"fiche-{number}.md").write_text(
                f"# Fiche {number}\n\nLa fiche {number} dit {said}.\n", encoding="utf-8"
            )
        for what in ("1 000 fichiers, première fois", "1 000 fichiers inchangés", "un fichier changé sur 1 000"):
            if what.startswith("un"):
                (sources / "fiche-7.md").write_text("# Fiche 7\n\nLa fiche sept dit autre chose.\n", encoding="utf-8")
            command = [sys.executable, "-m", "ui.cli", "index", "--source", sources, "--index", index, "--json"]
            used, out, peak = run(command)
            made = json.loads(out.splitlines()[-1])
            rows.append(
                {
                    "what": what,
                    "pieces": made["chunks"],
                    "embedded": made["embedded"],
                    "wall_s": round(used.wall, 2),
                    "cpu_s": round(used.cpu, 2),
                    "build_s": made["seconds"],
                    "peak_mib": peak,
                }
            )
        shutil.rmtree(index)
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["ours"]:
        print(json.dumps(ours(Path(sys.argv[2]), Path(sys.argv[3]))))
    elif sys.argv[1:2] == ["large"]:
        report("indexing-large", large(int(sys.argv[2]) if sys.argv[2:] else 1), machine())
    else:
        start = machine()
        rounds = int(sys.argv[1]) if sys.argv[1:] else 3
        report("indexing", compare(rounds) + large(1) + again(), start)
