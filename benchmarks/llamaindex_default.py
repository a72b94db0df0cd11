"""What LlamaIndex does by default, in its own environment: SimpleDirectoryReader, SentenceSplitter, Chroma, and
HuggingFaceEmbedding on the model that it is given. Prints one JSON line.

python llamaindex_default.py FOLDER MODEL WORK
"""

from __future__ import annotations

import sys

from benchmarks.others import told


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
    made: list[VectorStoreIndex] = []

    def index() -> int:
        documents = SimpleDirectoryReader(folder, required_exts=[".pdf"]).load_data()
        nodes = SentenceSplitter().get_nodes_from_documents(documents)
        collection = chromadb.PersistentClient(work).get_or_create_collection("documents")
        context = StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection))
        made.append(VectorStoreIndex(nodes, storage_context=context))
        return len(nodes)

    told(index, lambda question: made[0].as_retriever(similarity_top_k=5).retrieve(question))


if __name__ == "__main__":
    main(*sys.argv[1:4])
