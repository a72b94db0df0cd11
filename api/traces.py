"""OpenTelemetry, when asked: a span a request, and LlamaIndex's own spans (its instrumentation) inside it. Never a text.

Asked by the standard variables (`OTEL_EXPORTER_OTLP_ENDPOINT`, or the one for traces alone); sampling, headers, resource
and protocol follow theirs too. A span has a name, a time, an outcome: the arguments that LlamaIndex hands over, its
events and the messages of errors hold what people ask, so none of them is kept.
"""

from __future__ import annotations

import inspect
import os
from typing import Any

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span import BaseSpan
from llama_index_instrumentation.span_handlers import BaseSpanHandler
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pydantic import PrivateAttr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import request_id
from api.records import METHODS, route_name
from corpus.errors import ConfigurationError
from rag.answer import Answer

NAME = "boussole17"
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_W3C = TraceContextTextMapPropagator()


class Traces:
    """Spans of one process, sent by a thread of its own; `close` sends what is left."""

    def __init__(self, exporter: SpanExporter) -> None:
        os.environ.setdefault("OTEL_SERVICE_NAME", NAME)
        self._provider = TracerProvider()
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.tracer = self._provider.get_tracer(NAME)
        self._handler = LlamaSpans(self.tracer)
        get_dispatcher().add_span_handler(self._handler)

    def close(self) -> None:
        get_dispatcher().span_handlers.remove(self._handler)
        self._provider.shutdown()


def open_traces() -> Traces | None:
    """None where nobody asks for traces. Raises ConfigurationError for a protocol that isn't OTLP's."""
    asked = any(os.environ.get(name) for name in ENDPOINTS)
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or os.environ.get("OTEL_TRACES_EXPORTER") == "none"
    return Traces(_exporter()) if asked and not off else None


def _exporter() -> SpanExporter:
    protocol = next((given for name in PROTOCOLS if (given := os.environ.get(name))), "http/protobuf")
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter()
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter

        return GrpcExporter()
    raise ConfigurationError(
        f"OTEL_EXPORTER_OTLP_PROTOCOL : « {protocol} » n'est pas pris. Donnez http/protobuf (par défaut) ou grpc."
    )


def note(answer: Answer) -> None:
    """What became of a question, on the span of its request; nothing where there is none."""
    trace.get_current_span().set_attributes(
        {
            "boussole.answer.id": answer.id,
            "boussole.answer.status": answer.status,
            "boussole.answer.synthesizer": answer.synthesizer,
            "boussole.answer.fallback": answer.fallback or "",
            "boussole.answer.citations": len(answer.citations),
            "boussole.index.generation": answer.index_generation,
        }
    )


class Traced:
    """One server span a request, a child of the caller's where it sends `traceparent`. No address: it may hold a question."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = _W3C.extract(dict(Headers(scope=scope)))
        method = scope["method"] if scope["method"] in METHODS else "OTHER"
        span = self._tracer.start_span(method, caller, SpanKind.SERVER)
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = context.attach(trace.set_span_in_context(span, caller))
        try:
            await self._app(scope, receive, sent)
        finally:
            context.detach(token)
            route = route_name(scope)
            span.update_name(f"{method} {route}")
            span.set_attributes(
                {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                    "boussole.request.id": request_id.get(),
                }
            )
            if status >= 500:
                span.set_status(StatusCode.ERROR)
            span.end()


class _Open(BaseSpan):
    """A LlamaIndex span that is not over."""

    otel: Any


class LlamaSpans(BaseSpanHandler[_Open]):
    """LlamaIndex's spans as OpenTelemetry's. Its own package (llama-index-observability-otel) asks for an older
    instrumentation, keeps every span for ever, and sends events and errors with their texts."""

    _tracer: Tracer = PrivateAttr()

    def __init__(self, tracer: Tracer) -> None:
        super().__init__(open_spans={}, completed_spans=[], dropped_spans=[], current_span_ids={})
        self._tracer = tracer

    def new_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        parent_span_id: str | None = None,
        tags: dict[str, Any] | None = None,
        **_: Any,
    ) -> _Open:
        parent = self.open_spans.get(parent_span_id or "")
        around = trace.set_span_in_context(parent.otel) if parent else None
        return _Open(id_=id_, parent_id=parent_span_id, otel=self._tracer.start_span(id_.partition("-")[0], around))

    def prepare_to_exit_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        result: Any | None = None,
        **_: Any,
    ) -> _Open | None:
        return self._end(id_)

    def prepare_to_drop_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        err: BaseException | None = None,
        **_: Any,
    ) -> _Open | None:
        return self._end(id_, err)

    def _end(self, id_: str, error: BaseException | None = None) -> _Open | None:
        found = self.open_spans.get(id_)
        if found is not None:
            span: Span = found.otel
            if error is not None:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
            span.end()
        return found
