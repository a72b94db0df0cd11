"""Traces as an operator's collector gets them: from a real server, over OTLP, with every stage and no text."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from servers import command

from api.traces import open_traces
from corpus.errors import ConfigurationError
from rag.settings import Settings

QUESTION = "Combien de catalyseurs territoriaux ont émergé en France ?"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """An OTLP collector: what was sent to it, raw, and as spans."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        collector = self

        class Traces(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                zipped = self.headers.get("Content-Encoding") == "gzip"
                if self.path == "/v1/traces":
                    collector.bodies.append(gzip.decompress(body) if zipped else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Traces)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def spans(self) -> list[Span]:
        sent = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [s for request in sent for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]

    @property
    def services(self) -> set[str]:
        sent = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        resources = [r.resource for request in sent for r in request.resource_spans]
        return {a.value.string_value for r in resources for a in r.attributes if a.key == "service.name"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    opened = Collector()
    yield opened
    opened.server.shutdown()


@pytest.mark.slow
def test_a_collector_gets_every_stage_under_its_request_and_no_text(
    settings: Settings, tmp_path: Path, collector: Collector
) -> None:
    with command(settings, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address) as (_, address):
        headers = {"traceparent": f"00-{TRACE}-{CALLER}-01", "X-Request-ID": "essai-17"}
        answer = httpx.post(f"{address}/v1/ask", json={"question": QUESTION}, headers=headers, timeout=60).json()
        httpx.get(f"{address}/v1/ask", params={"question": QUESTION, "document_ids": "nulle-part"}, timeout=60)
        httpx.post(f"{address}/v1/ask", json={"question": QUESTION, "stream": True}, timeout=60)
    assert collector.services == {"boussole17"}
    mine = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    root = next(span for span in mine if span.parent_span_id.hex() == CALLER)
    told = {a.key: a.value for a in root.attributes}
    assert root.name == "POST /v1/ask"
    assert told["http.response.status_code"].int_value == 200
    assert told["boussole.request.id"].string_value == "essai-17"
    assert told["boussole.answer.id"].string_value == answer["id"]
    assert told["boussole.answer.status"].string_value == "answered"
    stages = {span.name for span in mine if span.parent_span_id == root.span_id}
    assert {"condense", "HybridRetriever.find", "compose", "verify"} <= stages
    refused = next(s for s in collector.spans if s.name == "GET /v1/ask")
    assert {a.key: a.value for a in refused.attributes}["http.response.status_code"].int_value == 404
    assert len([s for s in collector.spans if s.name == "POST /v1/ask"]) == 2  # the streamed one ends too
    sent = b"".join(collector.bodies).decode("utf-8", "replace").casefold()
    assert not [word for word in ("catalyseur", "nulle-part", "question") if word in sent]


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_nothing_is_traced_unless_asked(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert open_traces() is None
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert open_traces() is None
    monkeypatch.setenv("OTEL_SDK_DISABLED", "false")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon")
    with pytest.raises(ConfigurationError, match="carrier-pigeon"):
        open_traces()


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_both_protocols_open_and_leave_nothing_behind(monkeypatch: pytest.MonkeyPatch, protocol: str) -> None:
    from llama_index_instrumentation import get_dispatcher

    before = list(get_dispatcher().span_handlers)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    traces = open_traces()
    assert traces is not None
    traces.close()
    assert get_dispatcher().span_handlers == before
