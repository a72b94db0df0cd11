"""The HTTP API of the contract, and the chat page on the same port."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

from api import problems
from api.forms import AskRequest, DocumentList, Problem, SearchRequest
from api.live import Live
from api.pictures import Painter
from corpus.errors import BoussoleError
from rag.answer import Answer, DocumentInfo, PageText, SearchResult
from rag.assistant import CitationEvent, Event, TextEvent
from rag.embedding import Encoder
from rag.settings import Settings

log = logging.getLogger(__name__)
BODY_LIMIT = 1_000_000  # bytes: a question with a long history is some 100 kB
REFRESH = 2.0  # seconds between two looks at the published generation
HEARTBEAT = 15  # seconds, below the idle limit of usual proxies
ERRORS: dict[int | str, dict[str, Any]] = {code: {"model": Problem} for code in (404, 413, 422, 503)}


def create_app(settings: Settings, encoder: Encoder | None = None) -> FastAPI:
    """The application; the index is opened at start-up and `/readyz` says when it answers."""
    live = Live(settings, encoder)
    painter = Painter()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(live.refresh)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_follow, live)
            yield
            tasks.cancel_scope.cancel()
        painter.close()

    app = FastAPI(
        title="Boussole 17",
        version="1",
        description="Questionner le corpus ODD 17 : chaque phrase d'une réponse renvoie à la page qui la prouve.",
        lifespan=lifespan,
        root_path=settings.root_path,
    )
    problems.install(app)
    _limit_bodies(app)
    _questions(app, live)
    _documents(app, live, painter)
    _health(app, live)
    from ui.page import mount  # Gradio takes seconds to import: only where the page is served

    return mount(app, lambda: live.current)


async def _follow(live: Live) -> None:
    while True:
        await anyio.sleep(REFRESH)
        await run_in_threadpool(live.refresh)


def _limit_bodies(app: FastAPI) -> None:
    @app.middleware("http")
    async def limit(request: Request, call_next):  # type: ignore[no-untyped-def]
        length = request.headers.get("content-length", "0")
        if request.url.path.startswith("/v1/") and length.isdigit() and int(length) > BODY_LIMIT:
            return problems.problem(
                request, 413, f"Demande trop grande : {BODY_LIMIT // 1000} ko au plus.", code="too_large"
            )
        response = await call_next(request)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response


def _questions(app: FastAPI, live: Live) -> None:
    @app.post("/v1/ask", operation_id="ask", summary="Poser une question", response_model=Answer, responses=ERRORS)
    async def ask(request: AskRequest) -> Response:
        def whole() -> Answer:
            with live.use() as assistant:
                return assistant.ask(request.question, request.history, request.document_ids)

        if request.stream:
            events = iterate_in_threadpool(_events(live, request))
            return EventSourceResponse(events, ping=HEARTBEAT, headers={"X-Accel-Buffering": "no"})
        answer = await run_in_threadpool(whole)
        return JSONResponse(answer.model_dump(mode="json"), headers={"X-Index-Generation": answer.index_generation})

    @app.post("/v1/search", operation_id="search", summary="Chercher des passages", responses=ERRORS)
    def search(request: SearchRequest) -> SearchResult:
        with live.use() as assistant:
            return assistant.search(request.query, request.k, request.document_ids)


def _events(live: Live, request: AskRequest) -> Iterator[ServerSentEvent]:
    """Text and citations as they are verified, then the whole answer; an error is told as an event."""
    try:
        with live.use() as assistant:
            for event in assistant.stream(request.question, request.history, request.document_ids):
                yield _sent(event)
    except BoussoleError as error:
        detail = {"title": "Demande refusée", "detail": str(error), "code": error.code}
        yield ServerSentEvent(json.dumps(detail, ensure_ascii=False), event="error")


def _sent(event: Event) -> ServerSentEvent:
    if isinstance(event, TextEvent):
        return ServerSentEvent(json.dumps({"delta": event.delta}, ensure_ascii=False), event="text")
    if isinstance(event, CitationEvent):
        return ServerSentEvent(event.citation.model_dump_json(), event="citation")
    return ServerSentEvent(event.answer.model_dump_json(), event="done")


def _documents(app: FastAPI, live: Live, painter: Painter) -> None:
    @app.get("/v1/documents", operation_id="list_documents", summary="Les documents du corpus")
    def documents() -> DocumentList:
        with live.use() as assistant:
            return DocumentList(documents=assistant.documents)

    @app.get("/v1/documents/{document_id}", operation_id="get_document", summary="Un document", responses=ERRORS)
    def document(document_id: str) -> DocumentInfo:
        with live.use() as assistant:
            found = assistant.generation.documents.get(document_id)
        if found is None:
            raise HTTPException(404, f"Document inconnu : « {document_id} ». La liste : /v1/documents")
        return found

    @app.get("/v1/documents/{document_id}/file", operation_id="get_file", summary="Le fichier", responses=ERRORS)
    def file(document_id: str) -> FileResponse:
        with live.use() as assistant:
            path = assistant.file(document_id)
        if path is None:
            raise HTTPException(404, f"Pas de fichier pour « {document_id} ».")
        return FileResponse(path, filename=path.name, content_disposition_type="inline")

    @app.get(
        "/v1/documents/{document_id}/pages/{number}.png",
        operation_id="get_page_picture",
        summary="La page en image, la citation surlignée",
        response_class=Response,
        responses=ERRORS | {200: {"content": {"image/png": {}}}},
    )
    def picture(document_id: str, number: int, quote: Annotated[str, Query(max_length=5000)] = "") -> Response:
        with live.use() as assistant:
            path = assistant.file(document_id)
            if path is None or path.suffix != ".pdf":
                raise HTTPException(404, f"Pas d'image pour « {document_id} » : ce n'est pas un PDF du corpus.")
            try:
                data = painter.paint(path, number, quote).png
            except IndexError:
                raise HTTPException(404, f"« {document_id} » n'a pas de page {number}.") from None
        return Response(data, media_type="image/png", headers={"Cache-Control": "public, max-age=3600"})

    @app.get(
        "/v1/documents/{document_id}/pages/{number}",
        operation_id="get_page",
        summary="Le texte d'une page",
        responses=ERRORS,
    )
    def page(document_id: str, number: int) -> PageText:
        with live.use() as assistant:
            found = assistant.page(document_id, number)
        if found is None:
            raise HTTPException(404, f"« {document_id} » n'a pas de page {number}.")
        return found


def _health(app: FastAPI, live: Live) -> None:
    @app.get("/healthz", operation_id="healthz", summary="Le serveur vit")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", operation_id="readyz", summary="L'index répond", responses={503: {"model": Problem}})
    def readyz() -> dict[str, str]:
        with live.use() as assistant:
            return {"status": "ready", "index_generation": assistant.generation.name}
