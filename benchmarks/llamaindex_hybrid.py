"""LlamaIndex's own hybrid over passages that it is given, in its own environment: QueryFusionRetriever of a vector index and
BM25, in each of its fusion modes. Prints one JSON line: {mode: {query: [document, …]}}, best first.

python llamaindex_hybrid.py PASSAGES.jsonl QUERIES.jsonl MODEL

PASSAGES: {"document", "text"} a line; QUERIES: {"id", "text"} a line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PASSAGES = 100  # asked of each retriever and of the fusion


def main(passages: str, queries: str, model: str) -> None:
    from llama_index.core import Settings, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
    from llama_index.core.schema import TextNode
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.retrievers.bm25 import BM25Retriever

    Settings.llm = MockLLM()
    Settings.embed_model = HuggingFaceEmbedding(
        model_name=model, query_instruction="query: ", text_instruction="passage: ", device="cpu", embed_batch_size=4
    )
    nodes = [TextNode(text=item["text"], metadata={}, id_=str(n)) for n, item in enumerate(_lines(passages))]
    documents = {str(n): item["document"] for n, item in enumerate(_lines(passages))}
    asked = _lines(queries)
    dense = VectorStoreIndex(nodes).as_retriever(similarity_top_k=PASSAGES)
    words = BM25Retriever.from_defaults(
        nodes=nodes, similarity_top_k=min(PASSAGES, len(nodes)), language="french", skip_stemming=False
    )
    found: dict[str, dict[str, list[str]]] = {}
    for mode in FUSION_MODES:
        fused = QueryFusionRetriever(
            [dense, words], similarity_top_k=PASSAGES, num_queries=1, mode=mode, use_async=False
        )
        found[mode.value] = {
            item["id"]: list(dict.fromkeys(documents[hit.node.node_id] for hit in fused.retrieve(item["text"])))
            for item in asked
        }
    print(json.dumps(found))


def _lines(path: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main(*sys.argv[1:4])
