"""POST /v1/chat/completions and GET /v1/models: the OpenAI form, for clients and chat front ends that speak it.

The last user message is the question and the others its history. System messages and sampling parameters are ignored:
an answer is made of the corpus, and its rules aren't a caller's to change. Sources stand in the message's `citations`
and, for front ends that only show text, as numbered notes at its end. What front ends ask of a model for themselves
(a title, tags) is answered apart, in api.chores.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool, WithJsonSchema
from sse_starlette import ServerSentEvent

from api.chores import chore
from api.cuts import Budget, Stopper, counted
from api.forms import Number, OpenAIError
from api.problems import problem
from api.questions import Desk, begun, event_stream, unless_gone
from api.schema import EVENTS, errors
from corpus.errors import BoussoleError, UsageError
from rag.answer import Answer, Citation, Turn
from rag.assistant import DoneEvent, Event, TextEvent

MODEL = "boussole-17"
NOTES = "\n\nSources :\n"
CREATED = 1_795_478_400  # this model's birth, for /v1/models: 24 November 2026
_ONE = {"type": "integer", "minimum": 1, "maximum": 1}
_COUNT = {"type": "integer", "minimum": 1}
_TEXT = {"type": "string", "pattern": "\\S"}
_TEXT_PART = {"type": "object", "properties": {"type": {"const": "text"}, "text": _TEXT}, "required": ["type", "text"]}
ASKING: dict[str, Any] = {  # for the schema: somebody asks something
    "type": "object",
    "properties": {
        "role": {"const": "user"},
        "content": {"anyOf": [_TEXT, {"type": "array", "contains": _TEXT_PART}]},
    },
    "required": ["role", "content"],
}


class Part(BaseModel):
    """Un morceau d'un message ; seul le texte est lu."""

    type: str = Field(max_length=50)
    text: str = Field(default="", max_length=100_000)


class ChatMessage(BaseModel):
    """Un message, en forme OpenAI."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type == "text")
        return self.content or ""


class StreamOptions(BaseModel):
    include_usage: StrictBool | None = False


class ChatRequest(BaseModel):
    """Une conversation, en forme OpenAI. Les paramètres inconnus (temperature, tools…) sont ignorés."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "model": MODEL,
                    "messages": [{"role": "user", "content": "Quels sont les trois leviers de l'intérêt général ?"}],
                }
            ]
        }
    )
    messages: list[ChatMessage] = Field(
        min_length=1,
        max_length=200,
        description="La conversation ; le dernier message de rôle `user` est la question",
        json_schema_extra={"contains": ASKING},
    )
    model: str = Field(default=MODEL, max_length=200, description="Sans effet : un seul modèle répond")
    stream: StrictBool | None = Field(default=False, description="Répondre au fil de l'eau (SSE)")
    stream_options: StreamOptions | None = None
    stop: str | list[str] | None = Field(
        default=None, description="Textes devant lesquels la réponse s'arrête (4 au plus)"
    )
    n: Annotated[Number, Field(ge=1, le=1), WithJsonSchema(_ONE)] | None = Field(
        default=1, description="Une seule réponse"
    )
    max_completion_tokens: Annotated[Number, Field(ge=1), WithJsonSchema(_COUNT)] | None = Field(
        default=None,
        description="Mots et signes au plus : la réponse s'arrête à la fin d'une phrase (la première vient toujours entière)",
    )
    max_tokens: Annotated[Number, Field(ge=1), WithJsonSchema(_COUNT)] | None = Field(
        default=None, description="L'ancien nom de `max_completion_tokens`"
    )

    def most(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    def stops(self) -> list[str]:
        return [s for s in ([self.stop] if isinstance(self.stop, str) else self.stop or []) if s][:4]


class Reply(BaseModel):
    """Le message de la réponse."""

    role: Literal["assistant"] = "assistant"
    content: str = Field(description="La réponse, puis ses sources en notes numérotées")
    refusal: str | None = None
    citations: list[Citation] = Field(default=[], description="Les citations, comme dans `POST /v1/ask`")


class Choice(BaseModel):
    index: int = 0
    message: Reply
    finish_reason: Literal["stop", "length"] = "stop"
    logprobs: None = None


class Usage(BaseModel):
    """Mots et signes, comme ordre de grandeur."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """Une réponse, en forme OpenAI."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    boussole: dict[str, Any] = Field(description="Le reste de la réponse : id, statut, suggestions, génération…")


class Model(BaseModel):
    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(BaseModel):
    object: Literal["list"] = "list"
    data: list[Model]


def completions(desk: Desk) -> APIRouter:
    routes = APIRouter(tags=["Forme OpenAI"])

    @routes.post(
        "/v1/chat/completions",
        operation_id="create_chat_completion",
        summary="Poser une question en forme OpenAI",
        response_model=Completion,
        responses=errors(form=OpenAIError) | {200: {"description": "La réponse", "content": EVENTS}},
    )
    async def create(asked: ChatRequest, request: Request) -> Response:
        question, history = _conversation(asked.messages)
        if (done := chore(question)) is not None:
            return event_stream(_chore_chunks(done, asked), sep="\n") if asked.stream else _chore(done, asked)
        if asked.stream:
            events = await begun(request, desk.events(question, history))
            return event_stream(_chunks(events, asked), sep="\n")
        pieces, answer = (await unless_gone(request, _gathered(desk.events(question, history)))).result()
        headers = {"X-Index-Generation": answer.index_generation}
        return JSONResponse(_completion(pieces, answer, asked), headers=headers)

    @routes.get(
        "/v1/models",
        operation_id="list_models",
        summary="Les modèles, en forme OpenAI",
        responses=errors(form=OpenAIError),
    )
    def models() -> ModelList:
        return ModelList(data=[_MODEL])

    @routes.get(
        "/v1/models/{model}",
        operation_id="get_model",
        summary="Un modèle, en forme OpenAI",
        response_model=Model,
        responses=errors(404, form=OpenAIError),
    )
    def model(model: str, request: Request) -> Response:
        if model != MODEL:
            return problem(request.scope, 404, f"Modèle inconnu. Le seul est « {MODEL} ».", code="model_not_found")
        return JSONResponse(_MODEL.model_dump())

    return routes


_MODEL = Model(id=MODEL, created=CREATED, owned_by="boussole")


def _conversation(messages: Sequence[ChatMessage]) -> tuple[str, list[Turn]]:
    """The question and its history. Raises UsageError where nobody asks anything."""
    last = max((i for i, m in enumerate(messages) if m.role == "user" and m.text().strip()), default=-1)
    if last < 0:
        raise UsageError("Aucun message de rôle « user » : la question manque.", code="question_missing")
    history: list[Turn] = []
    for message in messages[:last]:
        text = message.text().split(NOTES)[0]
        if message.role == "user" and text:
            history.append(Turn(role="user", content=text))
        elif message.role == "assistant" and text:
            history.append(Turn(role="assistant", content=text))
    return messages[last].text(), history


async def _gathered(events: AsyncGenerator[Event, None]) -> tuple[list[str], Answer]:
    """The whole answer, and its text sentence by sentence."""
    pieces: list[str] = []
    async with aclosing(events):
        async for event in events:
            if isinstance(event, TextEvent):
                pieces.append(event.delta)
            elif isinstance(event, DoneEvent):
                return pieces, event.answer
    raise AssertionError("a stream ends with DoneEvent")


def notes(citations: Sequence[Citation]) -> list[str]:
    """Numbered notes in Markdown, one a line: title, page, quote, address; the first with their heading."""
    lines = []
    for citation in citations:
        title = _markdown(citation.title)
        link = f" <{citation.source_url}>" if citation.source_url else ""
        label = _markdown(citation.page_label)
        lines.append(f"- [{citation.n}] {title}, p. {label} : « {_markdown(citation.quote)} »{link}")
    return [("\n" if i else NOTES) + line for i, line in enumerate(lines)]


def _markdown(text: str) -> str:
    """On one line, without anything that Markdown or HTML would take for its own."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _completion(pieces: Sequence[str], answer: Answer, asked: ChatRequest) -> dict[str, Any]:
    stopper, budget = Stopper(asked.stops()), Budget(asked.most())
    said = "".join(map(budget.admit, pieces))
    kept = _kept(answer, said, budget)
    text = stopper.pass_on(said + "".join(map(budget.admit, notes(kept)))) + stopper.rest()
    return _whole(answer.id, text, asked, _finish(budget, stopper), kept) | {"boussole": _extra(answer)}


def _whole(own_id: str, text: str, asked: ChatRequest, finish: str, citations: Sequence[Citation]) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None, "citations": _citations(citations)}
    return _frame(own_id, "chat.completion") | {
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": _usage(asked, text),
    }


def _kept(answer: Answer, said: str, budget: Budget) -> list[Citation]:
    """The citations that the text kept calls."""
    return [c for c in answer.citations if not budget.spent or f"[{c.n}]" in said]


def _finish(budget: Budget, stopper: Stopper) -> str:
    return "length" if budget.spent and not stopper.stopped else "stop"


async def _chunks(events: AsyncIterator[Event], asked: ChatRequest) -> AsyncIterator[ServerSentEvent]:
    """Chunks in OpenAI's form, the last of them with the citations, then usage where it is wanted, then [DONE]."""
    stopper, budget, said, told = Stopper(asked.stops()), Budget(asked.most()), "", ""
    frame = _chunk_frame(asked)
    yield _chunk(frame, {"role": "assistant", "content": ""})
    try:
        async with aclosing(events):  # type: ignore[type-var]
            async for event in events:
                delta, kept = "", []
                if isinstance(event, TextEvent):
                    piece = budget.admit(event.delta)
                    said += piece
                    delta = stopper.pass_on(piece)
                elif isinstance(event, DoneEvent):
                    kept = _kept(event.answer, said, budget)
                    delta = stopper.pass_on("".join(map(budget.admit, notes(kept)))) + stopper.rest()
                if delta:
                    told += delta
                    yield _chunk(frame, {"content": delta})
                if isinstance(event, DoneEvent):
                    extra = {"boussole": _extra(event.answer)}
                    yield _chunk(frame | extra, {"citations": _citations(kept)}, _finish(budget, stopper))
    except BoussoleError as error:
        failed = {"error": {"message": str(error), "type": "server_error", "param": None, "code": error.code}}
        yield ServerSentEvent(json.dumps(failed, ensure_ascii=False))
        return
    for last in _ending(frame, asked, told):
        yield last


def _chore(done: str, asked: ChatRequest) -> JSONResponse:
    return JSONResponse(_whole(f"{time.time_ns():x}", done, asked, "stop", ()) | {"boussole": {}})


async def _chore_chunks(done: str, asked: ChatRequest) -> AsyncIterator[ServerSentEvent]:
    frame = _chunk_frame(asked)
    yield _chunk(frame, {"role": "assistant", "content": done})
    yield _chunk(frame, {}, "stop")
    for last in _ending(frame, asked, done):
        yield last


def _chunk_frame(asked: ChatRequest) -> dict[str, Any]:
    usage = {"usage": None} if _with_usage(asked) else {}
    return _frame(f"{time.time_ns():x}", "chat.completion.chunk") | usage


def _ending(frame: dict[str, Any], asked: ChatRequest, told: str) -> list[ServerSentEvent]:
    usage = [ServerSentEvent(json.dumps(frame | {"choices": [], "usage": _usage(asked, told)}))]
    return (usage if _with_usage(asked) else []) + [ServerSentEvent("[DONE]")]


def _with_usage(asked: ChatRequest) -> bool:
    return bool(asked.stream_options and asked.stream_options.include_usage)


def _chunk(frame: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> ServerSentEvent:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return ServerSentEvent(json.dumps(frame | {"choices": [choice]}, ensure_ascii=False))


def _frame(answer_id: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{answer_id}", "object": kind, "created": int(time.time()), "model": MODEL}


def _citations(citations: Sequence[Citation]) -> list[dict[str, Any]]:
    return [citation.model_dump(mode="json") for citation in citations]


def _extra(answer: Answer) -> dict[str, Any]:
    """What OpenAI's form has no place for."""
    kept = {"id", "status", "standalone_question", "suggestions", "synthesizer", "fallback", "index_generation"}
    return answer.model_dump(mode="json", include=kept)


def _usage(asked: ChatRequest, text: str) -> dict[str, int]:
    """Words and signs, as an order of size: no token is billed here."""
    prompt = sum(counted(message.text()) for message in asked.messages)
    completion = counted(text)
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
