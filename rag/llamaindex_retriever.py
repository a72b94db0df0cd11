"""Our retrieval as a LlamaIndex retriever, for pipelines built with its parts. Apart, because LlamaIndex takes more than a
second to import and no question needs it."""

from __future__ import annotations

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from rag.retrieve import HybridRetriever


class LlamaIndexRetriever(BaseRetriever):
    """The `k` best chunks, each a TextNode with its document, page and kind; the score orders them."""

    def __init__(self, retriever: HybridRetriever, k: int = 10) -> None:
        super().__init__()
        self._retriever = retriever
        self._k = k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [
            NodeWithScore(
                node=TextNode(
                    id_=hit.chunk.id,
                    text=hit.chunk.text,
                    metadata={"document_id": hit.chunk.document_id, "page": hit.chunk.page, "kind": hit.chunk.kind},
                ),
                score=hit.score,
            )
            for hit in self._retriever.find(query_bundle.query_str, self._k).hits
        ]
