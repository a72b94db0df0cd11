"""What is kept of a request: an id, a line in the log, figures. Never its content."""

from __future__ import annotations

import logging
import os
import re
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from starlette._utils import get_route_path
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import request_id
from api.problems import problem
from rag.answer import Answer

log = logging.getLogger("boussole.requests")
_GIVEN_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
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
    "X-Permitted-Cross-Domain-Policies": "none",
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
        self.waiting = self._gauge("boussole_queue_waiting", "Questions en attente", "livesum")
        self.working = self._gauge("boussole_queue_working", "Questions en cours", "livesum")
        self.ready = self._gauge("boussole_ready", "Processus dont l'index répond", "livesum")
        self.age = self._gauge("boussole_index_age_seconds", "Âge de la génération servie", "livemax")
        self.generation = self._gauge("boussole_index", "Processus par génération servie", "livesum", ["generation"])
        self._served = ""

    def _gauge(self, name: str, meaning: str, mode: Literal["livesum", "livemax"], labels: Sequence[str] = ()) -> Gauge:
        """`mode` says how the workers' values are put together."""
        return Gauge(name, meaning, labels, registry=self.registry, multiprocess_mode=mode)

    def serves(self, generation: str, age: float) -> None:
        """This generation (none: ""), of this age in seconds, is in use."""
        self.ready.set(1 if generation else 0)
        self.age.set(age)
        if self._served and self._served != generation:
            self.generation.labels(self._served).set(0)
        if generation:
            self.generation.labels(generation).set(1)
        self._served = generation

    def text(self) -> bytes:
        """All workers' figures, in Prometheus' form."""
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not folder:
            return generate_latest(self.registry)
        for path in Path(folder).glob("gauge_live*_*.db"):  # of a worker that died without a word
            pid = path.stem.rpartition("_")[2]
            if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                multiprocess.mark_process_dead(int(pid), folder)
        every = CollectorRegistry()
        multiprocess.MultiProcessCollector(every, folder)
        return generate_latest(every)

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
        own_id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(own_id)
        started = time.perf_counter()
        asked, status = scope["method"], 0
        bare = asked == "HEAD"
        if bare:  # every address that one may GET may be looked at, as HTTP wants
            scope = dict(scope, method="GET")

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = own_id
                framed = "content-security-policy" in headers
                for name, value in _security(scope).items():
                    if not (framed and name == "X-Frame-Options"):  # who sets a policy says there who may frame it
                        headers.setdefault(name, value)
            elif bare and message["type"] == "http.response.body":
                message = dict(message, body=b"")
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception:
            log.exception("unexpected")
            if status:  # begun already: closing the connection is all that tells
                raise
            detail = "Une erreur inattendue s'est produite ; elle est dans le journal du serveur."
            await problem(scope, 500, detail, code="bug")(scope, receive, sent)
        finally:
            seconds = time.perf_counter() - started
            route, method = route_name(scope), asked if asked in METHODS else "OTHER"
            self._figures.requests.labels(method, route, str(status)).inc()
            self._figures.seconds.labels(route).observe(seconds)
            fields = {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            log.info("request", extra={"fields": fields})
            request_id.reset(token)


def route_name(scope: Scope) -> str:
    """The route's pattern; never the address itself, which may hold a quote, and would make endless figures."""
    route = getattr(scope.get("route"), "path", "")
    if route:
        return str(route)
    return "unknown" if get_route_path(scope).startswith("/v1") else "page"


def is_api(path: str) -> bool:
    return path.startswith("/v1/") or path in ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json")


def _security(scope: Scope) -> dict[str, str]:
    if is_api(get_route_path(scope)):
        framing = {"Content-Security-Policy": API_POLICY, "X-Frame-Options": "DENY"}
    else:
        framing = {"Content-Security-Policy": PAGE_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    strict = {"Strict-Transport-Security": "max-age=31536000"} if scope.get("scheme") == "https" else {}
    return HEADERS | framing | strict
