"""Dense search: Chroma through LlamaIndex, or the generation's own array where that is faster or safer.

Chroma's PersistentClient isn't safe across processes (see docs/adr/0002-chroma.md): a folder is opened under an exclusive
lock, by one process; the others, and small corpora, search the memory-mapped array, which is exact. It also stands in for
a Chroma that is away, slow, damaged, or doesn't hold the whole generation yet.
"""

from __future__ import annotations

import fcntl
import json
import logging
import threading
import time
from collections.abc import Callable, Container, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import numpy as np

from corpus.chunk import Chunk
from corpus.errors import ConfigurationError
from rag.generation import Generation

EXACT_LIMIT = 20_000  # chunks below which one product of the whole array (about 3 ms) beats opening Chroma (about 1 s)
COLLECTION = "boussole"
LOOK_AGAIN = 10.0  # seconds before a Chroma that fails, or is being filled, is asked again
REST_EMBEDDED = 3600.0  # a damaged folder doesn't mend by itself, and opening it takes a second
QUERY_SECONDS = 2.0  # for one search on the server; the array does without it in a few milliseconds
PROBE_SECONDS = 2.0
log = logging.getLogger(__name__)
Hits = list[tuple[int, float]]


class DenseSearch(Protocol):
    def nearest(self, vector: np.ndarray, k: int, document_ids: Sequence[str] = ()) -> Hits:
        """The `k` rows nearest to `vector` (d,), with their cosine, best first."""

    def close(self) -> None: ...


class ExactSearch:
    """Cosine with every chunk of the generation."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    def nearest(self, vector: np.ndarray, k: int, document_ids: Sequence[str] = ()) -> Hits:
        scores = self._generation.vectors @ vector
        if document_ids:
            scores = np.where(self._generation.rows_of(document_ids), scores, -np.inf)
        best = np.argpartition(-scores, min(k, len(scores)) - 1)[:k] if len(scores) else np.zeros(0, np.int64)
        ranked = sorted((int(row) for row in best if np.isfinite(scores[row])), key=lambda row: (-scores[row], row))
        return [(row, float(scores[row])) for row in ranked]

    def close(self) -> None:
        return None


class ChromaSearch:
    """A Chroma collection asked through LlamaIndex's vector store. Raises ValueError where it isn't the generation's."""

    def __init__(self, generation: Generation, client: Any, collection: str) -> None:
        import llama_index.core  # noqa: F401 — whole before any part of it: another thread may be importing it
        from llama_index.vector_stores.chroma import ChromaVectorStore

        self._generation = generation
        self._client = client
        found = client.get_collection(collection)
        if found.count() != len(generation):
            raise ValueError(f"{found.count()} chunks in the collection, {len(generation)} in the generation")
        self._store = ChromaVectorStore.from_collection(found)

    def nearest(self, vector: np.ndarray, k: int, document_ids: Sequence[str] = ()) -> Hits:
        from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters, VectorStoreQuery

        filters = None
        if document_ids:
            only = MetadataFilter(key="document_id", value=list(document_ids), operator=FilterOperator.IN)
            filters = MetadataFilters(filters=[only])
        query = VectorStoreQuery(query_embedding=vector.tolist(), similarity_top_k=k, filters=filters)
        rows = [self._generation.row_by_id[i] for i in self._store.query(query).ids or []]
        # Chroma's distances are approximate; the array gives the cosine itself.
        scores = self._generation.vectors[rows] @ vector if rows else []
        return sorted(((row, float(s)) for row, s in zip(rows, scores, strict=True)), key=lambda hit: (-hit[1], hit[0]))

    def close(self) -> None:
        self._client.close()


class SteadySearch:
    """Chroma while it answers; the generation's own array while it is away, slow or damaged: the same passages, a little
    slower. Chroma is tried again after `rest` seconds, so that its return needs nobody. `folder` is the lock of an embedded
    one, held until `close`."""

    def __init__(
        self,
        generation: Generation,
        open_chroma: Callable[[], ChromaSearch],
        folder: IO[bytes] | None = None,
        rest: float = LOOK_AGAIN,
    ) -> None:
        self._exact = ExactSearch(generation)
        self._open = open_chroma
        self._lock = threading.Lock()
        self._chroma: ChromaSearch | None = None
        self._again_at = 0.0
        self._folder, self._rest_seconds = folder, rest
        try:
            self._ready()
        except BaseException as error:
            if not _is_chromas(error):
                raise
            self._rest(error)

    def nearest(self, vector: np.ndarray, k: int, document_ids: Sequence[str] = ()) -> Hits:
        try:
            if (chroma := self._ready()) is not None:
                return chroma.nearest(vector, k, document_ids)
        except BaseException as error:
            if not _is_chromas(error):
                raise
            self._rest(error)
        return self._exact.nearest(vector, k, document_ids)

    def close(self) -> None:
        with self._lock:
            if self._chroma is not None:
                self._chroma.close()
                self._chroma = None
        if self._folder is not None:
            self._folder.close()

    def _ready(self) -> ChromaSearch | None:
        """Chroma where it answers. One question opens it; those beside it don't wait."""
        if time.monotonic() < self._again_at or not self._lock.acquire(blocking=False):
            return None
        try:
            if self._chroma is None:
                self._chroma = self._open()
            return self._chroma
        finally:
            self._lock.release()

    def _rest(self, error: BaseException) -> None:
        self._again_at = time.monotonic() + self._rest_seconds
        with self._lock:
            gone, self._chroma = self._chroma, None
        log.warning(
            "chroma does not answer (%s): the index's own array for %d s", type(error).__name__, self._rest_seconds
        )
        if gone is not None:
            with suppress(Exception):
                gone.close()


def _is_chromas(error: BaseException) -> bool:
    """Whether it comes from Chroma. Its Rust core panics with a class that isn't an Exception."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def open_dense(generation: Generation, chroma_url: str = "", exact_limit: int = EXACT_LIMIT) -> DenseSearch:
    """The fastest safe search: the server where one is named, the array for small corpora, else embedded Chroma, or the
    array again where another process holds the folder."""
    if chroma_url:
        name = collection_name(generation.name)
        return SteadySearch(generation, lambda: ChromaSearch(generation, http_client(chroma_url, QUERY_SECONDS), name))
    if len(generation) <= exact_limit:
        return ExactSearch(generation)
    lock = _try_lock(generation.folder)
    if lock is None:
        return ExactSearch(generation)
    folder = generation.folder / "chroma"
    return SteadySearch(
        generation, lambda: ChromaSearch(generation, _embedded_client(folder), COLLECTION), lock, REST_EMBEDDED
    )


def write_chroma(
    folder: Path, name: str, chunks: Iterable[tuple[Chunk, str]], vectors: np.ndarray, chroma_url: str = ""
) -> None:
    """Store every chunk (with its document's title) and its vector, in order: embedded in `folder`, or on the server."""
    import httpx
    import llama_index.core  # noqa: F401 — whole before any part of it: another thread may be importing it
    from llama_index.core.schema import BaseNode, TextNode
    from llama_index.vector_stores.chroma import ChromaVectorStore

    client = http_client(chroma_url) if chroma_url else _embedded_client(folder / "chroma")
    collection = collection_name(name) if chroma_url else COLLECTION
    made = client.get_or_create_collection(collection, metadata={"hnsw:space": "cosine"})
    store = ChromaVectorStore.from_collection(made)
    iterator = iter(chunks)
    row = 0
    while batch := list(islice(iterator, 1000)):
        nodes: list[BaseNode] = [
            TextNode(
                id_=chunk.id,
                text=chunk.text,
                embedding=vectors[row + i].tolist(),
                metadata={
                    "document_id": chunk.document_id,
                    "title": title,
                    "page": chunk.page,
                    "page_end": chunk.page_end,
                    "section": " › ".join(chunk.section),
                    "kind": chunk.kind,
                    "spans": json.dumps([[p.page, p.start, p.end] for p in chunk.pieces]),
                },
            )
            for i, (chunk, title) in enumerate(batch)
        ]
        try:
            store.add(nodes)
        except httpx.HTTPError as error:
            raise _away(chroma_url) from error
        row += len(batch)
    client.close()


def holds_whole(client: Any, generation: Generation) -> bool:
    """Whether the server of `client` has every chunk of the generation."""
    from chromadb.errors import NotFoundError

    try:
        return bool(client.get_collection(collection_name(generation.name)).count() == len(generation))
    except NotFoundError:
        return False


def serve_generation(generation: Generation, chroma_url: str) -> bool:
    """Give the generation to the server from its own array, without embedding again; whether it was missing there."""
    client = http_client(chroma_url)
    try:
        if holds_whole(client, generation):
            return False
    finally:
        client.close()
    drop_collection(generation.name, chroma_url)  # what an interrupted filling left
    titled = ((c, generation.documents[c.document_id].title) for c in map(generation.chunk, range(len(generation))))
    write_chroma(generation.folder, generation.name, titled, generation.vectors, chroma_url)
    return True


def keep_collections(names: Container[str], chroma_url: str) -> None:
    """Remove our collections of all other generations from the server."""
    client = http_client(chroma_url)
    ours = [c.name for c in client.list_collections() if c.name.startswith(collection_name(""))]
    client.close()
    for name in ours:
        if (generation := name.removeprefix(collection_name(""))) not in names:
            drop_collection(generation, chroma_url)


def drop_collection(generation: str, chroma_url: str) -> None:
    """Remove a cleared generation's collection from the server, where it still stands."""
    from chromadb.errors import NotFoundError

    client = http_client(chroma_url)
    with suppress(NotFoundError):
        client.delete_collection(collection_name(generation))
    client.close()


def collection_name(generation: str) -> str:
    return f"boussole-{generation}"


def http_client(url: str, seconds: float | None = None) -> Any:
    """A client of the Chroma server at `url`; `seconds` bound each of its requests (None: as long as it takes, to write).
    Raises ConfigurationError where the server doesn't answer."""
    import chromadb
    import httpx
    from chromadb.config import Settings as ChromaSettings

    parts = urlsplit(url)
    try:
        # Chroma's client waits for ever, even while it is made: a server that hangs is found out first.
        httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=PROBE_SECONDS).raise_for_status()
        client = chromadb.HttpClient(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or (443 if parts.scheme == "https" else 80),
            ssl=parts.scheme == "https",
            settings=ChromaSettings(anonymized_telemetry=False),
        )
    except (ValueError, OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise _away(url) from error
    if seconds is not None:
        session: httpx.Client = client._server._session  # type: ignore[attr-defined]
        session.timeout = httpx.Timeout(seconds)  # Chroma has no setting for it
    return client


def _away(url: str) -> ConfigurationError:
    parts = urlsplit(url)
    return ConfigurationError(
        f"Le serveur Chroma ({parts.hostname}:{parts.port}) ne répond pas. Démarrez-le (chroma run) ou retirez "
        "BOUSSOLE_CHROMA_URL pour l'index embarqué.",
        code="chroma_unavailable",
    )


def _embedded_client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings as ChromaSettings

    return chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))


def _try_lock(folder: Path) -> IO[bytes] | None:
    try:
        file = (folder / "chroma.lock").open("ab")
    except OSError:  # a read-only index: Chroma could not open it either
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file
