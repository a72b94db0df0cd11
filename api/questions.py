"""POST /v1/ask and /v1/search; and the way every question takes through queue, assistant and threads."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.feedback import FeedbackStore
from api.forms import AskRequest, SearchRequest
from api.live import Live
from api.records import Figures
from api.schema import errors
from api.turnstile import Busy, Turnstile
from corpus.errors import BoussoleError
from rag.answer import Answer, SearchResult, Turn
from rag.assistant import CitationEvent, DoneEvent, Event, TextEvent

HEARTBEAT = 15  # seconds, below the idle limit of usual proxies (60 s for nginx)


class ClientGone(BoussoleError):
    """Nobody waits for the answer any more; never shown."""

    code = "client_gone"


@dataclass(frozen=True)
class Desk:
    """Where questions are taken: the queue, the assistant in use, the figures, the kept questions."""

    live: Live
    turnstile: Turnstile
    figures: Figures
    kept: FeedbackStore

    async def events(
        self, question: str, history: Sequence[Turn] = (), document_ids: Sequence[str] = ()
    ) -> AsyncIterator[Event]:
        """The answer as it comes. Closing it stops the work at its next piece. Raises BoussoleError."""
        async with self.turnstile.turn():
            with self.live.use() as assistant:
                stream = assistant.stream(question, history, document_ids)
                try:
                    while (event := await run_sync(next, stream, None)) is not None:
                        if isinstance(event, DoneEvent):
                            self.figures.answered(event.answer)
                            await run_sync(self.kept.asked, event.answer)
                        yield event
                finally:
                    with anyio.CancelScope(shield=True):
                        await run_sync(stream.close)  # type: ignore[attr-defined]

    async def answer(self, request: Request, question: str, history: Sequence[Turn], ids: Sequence[str] = ()) -> Answer:
        """The whole answer; given up where the client leaves meanwhile."""
        async with aclosing(self.events(question, history, ids)) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, DoneEvent):
                    return event.answer
                if await request.is_disconnected():
                    raise ClientGone("La connexion a été fermée.")
        raise AssertionError("a stream ends with DoneEvent")


async def begun(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """The same events, the first of them awaited now: what is refused is refused before the stream opens."""
    first = await anext(events)

    async def all_of_them() -> AsyncIterator[Event]:
        async with aclosing(events):  # type: ignore[type-var]
            yield first
            async for event in events:
                yield event

    return all_of_them()


def questions(desk: Desk) -> APIRouter:
    routes = APIRouter(tags=["Questions"])

    @routes.post(
        "/v1/ask",
        operation_id="ask",
        summary="Poser une question",
        description="Une réponse courte en français ; chaque phrase cite une page mot pour mot. Avec `stream: true`, "
        "des événements : `text` {delta}, `citation`, `done` (la réponse entière), ou `error`.",
        response_model=Answer,
        responses=errors(404)
        | {
            200: {
                "description": "La réponse",
                "content": {"text/event-stream": {"schema": {"type": "string", "description": "Événements SSE"}}},
            }
        },
    )
    async def ask(asked: AskRequest, request: Request) -> Response:
        if asked.stream:
            events = await begun(desk.events(asked.question, asked.history, asked.document_ids))
            return EventSourceResponse(_told(events), ping=HEARTBEAT)
        answer = await desk.answer(request, asked.question, asked.history, asked.document_ids)
        return JSONResponse(answer.model_dump(mode="json"), headers={"X-Index-Generation": answer.index_generation})

    @routes.post(
        "/v1/search",
        operation_id="search",
        summary="Chercher des passages",
        description="Les passages les plus proches d'une requête, sans réponse, le meilleur d'abord.",
        response_model=SearchResult,
        responses=errors(404),
    )
    async def search(asked: SearchRequest) -> Response:
        async with desk.turnstile.turn():
            with desk.live.use() as assistant:
                found = await run_sync(assistant.search, asked.query, asked.k, asked.document_ids)
        return JSONResponse(found.model_dump(mode="json"), headers={"X-Index-Generation": found.index_generation})

    return routes


async def _told(events: AsyncIterator[Event]) -> AsyncIterator[ServerSentEvent]:
    """Events in SSE form; an error on the way is told as one."""
    try:
        async with aclosing(events):  # type: ignore[type-var]
            async for event in events:
                yield _sent(event)
    except BoussoleError as error:
        status = 503 if isinstance(error, Busy) else 500
        detail = {"title": "Réponse interrompue", "status": status, "detail": str(error), "code": error.code}
        yield ServerSentEvent(json.dumps(detail, ensure_ascii=False), event="error")


def _sent(event: Event) -> ServerSentEvent:
    if isinstance(event, TextEvent):
        return ServerSentEvent(json.dumps({"delta": event.delta}, ensure_ascii=False), event="text")
    if isinstance(event, CitationEvent):
        return ServerSentEvent(event.citation.model_dump_json(), event="citation")
    return ServerSentEvent(event.answer.model_dump_json(), event="done")
