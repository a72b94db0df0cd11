"""What Haystack does by default, in its own environment: PyPDFToDocument, DocumentSplitter, a document store in memory or
Chroma, SentenceTransformersDocumentEmbedder on the model that it is given; in memory, both of its retrievers joined by rank.
Prints one JSON line.

python haystack_default.py memory|chroma FOLDER MODEL WORK
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.others import told


def main(kind: str, folder: str, model: str, work: str) -> None:
    from haystack import Pipeline
    from haystack.components.converters import PyPDFToDocument
    from haystack.components.preprocessors import DocumentSplitter
    from haystack.components.writers import DocumentWriter
    from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersDocumentEmbedder

    store, search = _in_memory(model) if kind == "memory" else _chroma(model, work)
    indexing = Pipeline()
    indexing.add_component("convert", PyPDFToDocument())
    indexing.add_component("split", DocumentSplitter())
    indexing.add_component(
        "embed", SentenceTransformersDocumentEmbedder(model=model, prefix="passage: ", progress_bar=False)
    )
    indexing.add_component("write", DocumentWriter(document_store=store))
    for one, other in (("convert", "split"), ("split", "embed"), ("embed", "write")):
        indexing.connect(one, other)
    indexing.warm_up()  # the model is loaded before the clock, as ours is
    search.warm_up()

    def index() -> int:
        indexing.run({"convert": {"sources": sorted(Path(folder).rglob("*.pdf"))}})
        return int(store.count_documents())

    def ask(question: str) -> object:
        words = {"words": {"query": question}} if kind == "memory" else {}
        return search.run({"embed": {"text": question}} | words)

    told(index, ask)


def _in_memory(model: str):  # type: ignore[no-untyped-def]
    from haystack import Pipeline
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    search = Pipeline()
    search.add_component("embed", _query_embedder(model))
    search.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=5))
    search.add_component("words", InMemoryBM25Retriever(store, top_k=5))
    search.add_component("join", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
    search.connect("embed.embedding", "dense.query_embedding")
    search.connect("dense", "join")
    search.connect("words", "join")
    return store, search


def _chroma(model: str, work: str):  # type: ignore[no-untyped-def]
    from haystack import Pipeline
    from haystack_integrations.components.retrievers.chroma import ChromaEmbeddingRetriever
    from haystack_integrations.document_stores.chroma import ChromaDocumentStore

    store = ChromaDocumentStore(persist_path=work, distance_function="cosine")
    search = Pipeline()
    search.add_component("embed", _query_embedder(model))
    search.add_component("dense", ChromaEmbeddingRetriever(store, top_k=5))
    search.connect("embed.embedding", "dense.query_embedding")
    return store, search


def _query_embedder(model: str):  # type: ignore[no-untyped-def]
    from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersTextEmbedder

    return SentenceTransformersTextEmbedder(model=model, prefix="query: ", progress_bar=False)


if __name__ == "__main__":
    main(*sys.argv[1:5])
