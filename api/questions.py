"""POST /v1/ask and /v1/search; and the way every question takes through queue, assistant and threads."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from api import traces
from api.feedback import FeedbackStore
from api.forms import NOT_BLANK, AskRequest, DocumentId, SearchRequest
from api.live import Live
from api.records import Figures
from api.schema import EVENTS, errors
from api.turnstile import Busy, Turnstile
from corpus.errors import BoussoleError
from rag.answer import Answer, SearchResult, Turn
from rag.assistant import CitationEvent, DoneEvent, Event, TextEvent

HEARTBEAT = 15  # seconds, below the idle limit of usual proxies (60 s for nginx)
FIRST = 8.0  # seconds in which a question is refused with a status of its own rather than by an event
STUCK = 30.0  # seconds for a client to take one piece
GRACE = 25.0  # seconds to end a stream once the server stops, below api.serve.GRACE
CACHE = {"Cache-Control": "private, max-age=300"}
T = TypeVar("T")
Asked = Annotated[
    str, Query(min_length=1, max_length=2000, description="La question, en français", json_schema_extra=NOT_BLANK)
]
_NONE: list[str] = []


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
    ) -> AsyncGenerator[Event, None]:
        """The answer as it comes. Closing it stops the work at its next piece. Raises BoussoleError."""
        async with self.turnstile.turn():
            with self.live.use() as assistant:
                stream = assistant.stream(question, history, document_ids)
                try:
                    while (event := await run_sync(next, stream, None)) is not None:
                        if isinstance(event, DoneEvent):
                            self.figures.answered(event.answer)
                            traces.note(event.answer)
                            await run_sync(self.kept.asked, event.answer)
                        yield event
                finally:
                    with anyio.CancelScope(shield=True):
                        await run_sync(stream.close)  # type: ignore[attr-defined]

    async def answer(self, request: Request, question: str, history: Sequence[Turn], ids: Sequence[str] = ()) -> Answer:
        """The whole answer; given up where the client leaves meanwhile. Raises BoussoleError."""
        return (await unless_gone(request, self._whole(question, history, ids))).result()

    async def _whole(self, question: str, history: Sequence[Turn], ids: Sequence[str]) -> Answer:
        async with aclosing(self.events(question, history, ids)) as events:
            async for event in events:
                if isinstance(event, DoneEvent):
                    return event.answer
        raise AssertionError("a stream ends with DoneEvent")

    def tag(self, question: str, history: Sequence[Turn], ids: Sequence[str]) -> str:
        """A weak ETag: the same question to the same generation. Raises what kept the index from opening."""
        with self.live.use() as assistant:
            asked = [assistant.generation.name, question, [t.model_dump(mode="json") for t in history], list(ids)]
        return f'W/"{hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]}"'


async def unless_gone(request: Request, work: Coroutine[Any, Any, T], patience: float | None = None) -> asyncio.Task[T]:
    """The task of `work`, done, or still running after `patience` seconds. Raises ClientGone where the client leaves."""
    task = asyncio.create_task(work)
    left = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({task, left}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if left.done() and not task.done():
            raise ClientGone("La connexion a été fermée.")
        return task
    except BaseException:
        task.cancel()
        await asyncio.wait({task})
        raise
    finally:
        left.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def begun(request: Request, events: AsyncGenerator[Event, None]) -> AsyncIterator[Event]:
    """The same events, the first of them begun now: what is refused is refused before the stream opens. One that takes
    long to come is waited for inside the stream, where heartbeats keep proxies from giving up."""
    first = await unless_gone(request, anext(events), FIRST)
    if first.done():
        first.result()

    async def all_of_them() -> AsyncIterator[Event]:
        async with aclosing(events):
            yield await first
            async for event in events:
                yield event

    return all_of_them()


def event_stream(told: AsyncIterator[ServerSentEvent], sep: str = "\r\n") -> EventSourceResponse:
    """An SSE response that survives proxies, ends what has begun when the server stops, and drops a client that no
    longer reads."""
    return EventSourceResponse(
        told,
        ping=HEARTBEAT,
        sep=sep,
        send_timeout=STUCK,
        shutdown_event=anyio.Event(),
        shutdown_grace_period=GRACE,
    )


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
                "content": EVENTS,
            }
        },
    )
    async def ask(asked: AskRequest, request: Request) -> Response:
        if asked.stream:
            events = await begun(request, desk.events(asked.question, asked.history, asked.document_ids))
            return event_stream(_told(events))
        answer = await desk.answer(request, asked.question, asked.history, asked.document_ids)
        tag = desk.tag(asked.question, asked.history, asked.document_ids)
        return _answered(answer, {"ETag": tag})

    @routes.get(
        "/v1/ask",
        operation_id="ask_cached",
        summary="Poser une question dont la réponse peut être gardée",
        description="La même réponse que `POST /v1/ask`, sans conversation, avec un `ETag` qui ne change qu'avec le corpus. "
        "La question figure dans l'adresse, donc dans les journaux des serveurs traversés : seulement pour des questions publiques.",
        response_model=Answer,
        responses=errors(404) | {304: {"description": "Inchangée depuis cet `ETag`"}},
    )
    async def ask_cached(
        request: Request, question: Asked, document_ids: Annotated[list[DocumentId], Query(max_length=200)] = _NONE
    ) -> Response:
        tag = desk.tag(question, (), document_ids)
        if tag in [given.strip() for given in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=CACHE | {"ETag": tag})
        return _answered(await desk.answer(request, question, (), document_ids), CACHE | {"ETag": tag})

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


def _answered(answer: Answer, headers: Mapping[str, str]) -> Response:
    sent = {"X-Index-Generation": answer.index_generation, **headers}
    return JSONResponse(answer.model_dump(mode="json"), headers=sent)


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
