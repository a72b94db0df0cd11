"""What LlamaIndex does by default, in its own environment: SimpleDirectoryReader, SentenceSplitter, Chroma, and
HuggingFaceEmbedding on the model that it is given. Prints one JSON line.

python llamaindex_default.py FOLDER MODEL WORK
"""

from __future__ import annotations

import json
import resource
import sys
import time


def main(folder: str, model: str, work: str) -> None:
    import chromadb
    from llama_index.core import Settings, SimpleDirectoryReader, StorageContext, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.vector_stores.chroma import ChromaVectorStore

    Settings.embed_model = HuggingFaceEmbedding(
        model_name=model, query_instruction="query: ", text_instruction="passage: ", device="cpu"
    )
    Settings.llm = None
    started, before = time.perf_counter(), _cpu()
    documents = SimpleDirectoryReader(folder, required_exts=[".pdf"]).load_data()
    nodes = SentenceSplitter().get_nodes_from_documents(documents)
    collection = chromadb.PersistentClient(work).get_or_create_collection("documents")
    context = StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection))
    index = VectorStoreIndex(nodes, storage_context=context)
    wall, cpu = time.perf_counter() - started, _cpu() - before
    retriever = index.as_retriever(similarity_top_k=5)
    times = []
    for _ in range(20):
        asked = time.perf_counter()
        retriever.retrieve("Qu’est-ce que la prime à l’alliance ?")
        times.append(time.perf_counter() - asked)
    found = {
        "pieces": len(nodes),
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
