"""What is kept of a request: an id, a line in the log, figures. Never its content."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette._utils import get_route_path
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.answer import Answer

log = logging.getLogger("boussole.requests")
_GIVEN_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_BUCKETS = (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 5.0, 10.0, 30.0)

PAGE_POLICY = (  # Gradio writes its scripts and styles into the page
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
API_POLICY = "default-src 'none'; frame-ancestors 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Figures:
    """Prometheus figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "boussole_requests",
            "Demandes, par adresse et statut",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "boussole_request_seconds", "Durée d'une demande", ["route"], buckets=_BUCKETS, registry=self.registry
        )
        self.stages = Histogram(
            "boussole_stage_seconds",
            "Durée d'une étape d'une réponse",
            ["stage"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.answers = Counter(
            "boussole_answers", "Réponses, par issue", ["status", "synthesizer", "fallback"], registry=self.registry
        )
        self.waiting = Gauge("boussole_queue_waiting", "Questions en attente", registry=self.registry)
        self.working = Gauge("boussole_queue_working", "Questions en cours", registry=self.registry)
        self.ready = Gauge("boussole_ready", "1 si un index répond", registry=self.registry)
        self.age = Gauge("boussole_index_age_seconds", "Âge de la génération servie", registry=self.registry)
        self.generation = Gauge("boussole_index", "Génération servie", ["generation"], registry=self.registry)

    def answered(self, answer: Answer) -> None:
        self.answers.labels(answer.status, answer.synthesizer, answer.fallback or "").inc()
        for stage, milliseconds in answer.timings_ms.model_dump().items():
            self.stages.labels(stage).observe(milliseconds / 1000)


class Records:
    """Gives each request an id, and each response the security headers; counts and logs it."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        started = time.perf_counter()
        status = 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _security(scope).items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, sent)
        finally:
            seconds = time.perf_counter() - started
            route = route_name(scope)
            self._figures.requests.labels(_method(scope), route, str(status)).inc()
            self._figures.seconds.labels(route).observe(seconds)
            line = {"id": request_id, "method": _method(scope), "route": route, "status": status}
            log.info(json.dumps(line | {"ms": round(seconds * 1000, 1)}))


def route_name(scope: Scope) -> str:
    """The route's pattern; never the address itself, which may hold a quote, and would make endless figures."""
    route = getattr(scope.get("route"), "path", "")
    if route:
        return str(route)
    return "unknown" if get_route_path(scope).startswith("/v1") else "page"


def is_api(path: str) -> bool:
    return path.startswith("/v1/") or path in ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json")


def _method(scope: Scope) -> str:
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "OTHER"


def _security(scope: Scope) -> dict[str, str]:
    policy = API_POLICY if is_api(get_route_path(scope)) else PAGE_POLICY
    strict = {"Strict-Transport-Security": "max-age=31536000"} if scope.get("scheme") == "https" else {}
    return HEADERS | strict | {"Content-Security-Policy": policy}
