"""The application: the contract's API, the widget and the chat page on one port. Who reads this file sees all its parts.

request ─▶ Prefixed (where a proxy puts us) ─▶ Records (id, figures, headers) ─▶ Access (machine or key, site, rate) ─▶ Bodies (size, time) ─▶ routes ─▶ Desk
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec

import anyio
from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette._utils import get_route_path
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from api import problems, schema
from api.access import Access
from api.completions import completions
from api.documents import documents
from api.feedback import FeedbackStore
from api.health import health, opinions
from api.keys import KeyStore
from api.limits import Bodies
from api.live import Live
from api.pictures import Painter
from api.questions import Desk, questions
from api.rates import open_rates
from api.records import Figures, Records, is_api
from api.traces import Traced, open_traces
from api.turnstile import Turnstile
from api.widget import widget
from rag.embedding import Encoder
from rag.settings import Settings

log = logging.getLogger(__name__)
REFRESH = 2.0  # seconds between two looks at the published generation
LLM_PLACES = 16  # questions at once where a language model, elsewhere, does the work
PURGE = 3600.0  # seconds between two looks for opinions whose time is over
PLAIN = """<!doctype html><html lang="fr"><title>Boussole 17</title><h1>Boussole 17</h1>
<p>La page de conversation n'est pas installée. L'API est décrite à <a href="docs">/docs</a>.</p></html>"""


def create_app(
    settings: Settings, encoder: Encoder | None = None, say: Callable[[str], None] = lambda _: None
) -> FastAPI:
    """The application. The index is opened once it runs, and `/readyz` says when it answers; `say` tells the progress."""
    live, painter, figures = Live(settings, encoder, say), Painter(), Figures()
    turnstile = Turnstile(LLM_PLACES if settings.llm_base_url else None)
    opinion_store, keys = FeedbackStore(settings), KeyStore(settings.data)
    traces = open_traces()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            if encoder is not None:  # at hand already: ready from the first request on
                await run_sync(live.refresh)
            tasks.start_soon(_every, REFRESH, live.refresh)
            tasks.start_soon(_every, PURGE, opinion_store.purge)
            yield
            tasks.cancel_scope.cancel()
        painter.close()
        live.close()
        if traces:
            await run_sync(traces.close)

    app = FastAPI(
        title="Boussole 17",
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,  # a redirect would carry whatever name the Host header claims
    )
    app.state.live = live
    app.add_middleware(Bodies)
    app.add_middleware(Access, store=keys, rates=open_rates(settings))
    if traces:
        app.add_middleware(Traced, tracer=traces.tracer)
    app.add_middleware(Records, figures=figures)
    app.add_middleware(Prefixed, prefix=settings.root_path)
    problems.install(app)
    app.include_router(questions(Desk(live, turnstile, figures, opinion_store)))
    app.include_router(documents(live, painter))
    app.include_router(completions(Desk(live, turnstile, figures, opinion_store)))
    app.include_router(opinions(opinion_store, settings))
    app.include_router(health(live, figures, turnstile))
    app.include_router(widget(live, keys, settings))
    schema.install(app, settings.max_question)
    app.router.routes.append(NothingElse(app))
    return _with_page(app, live, KeyStore(settings.data), opinion_store, turnstile)


async def _every(seconds: float, work: Callable[[], object]) -> None:
    while True:
        try:
            await run_sync(work)
        except (OSError, sqlite3.Error) as error:  # a full disk or a locked file: the next turn may succeed
            log.warning("%s failed: %s", getattr(work, "__qualname__", work), error)
        await anyio.sleep(seconds)


def _with_page(app: FastAPI, live: Live, keys: KeyStore, kept: FeedbackStore, turnstile: Turnstile) -> FastAPI:
    if find_spec("ui.page") is None:
        app.add_api_route("/", lambda: HTMLResponse(PLAIN), include_in_schema=False)
        return app
    from ui.atelier import Workshop
    from ui.page import mount  # Gradio takes seconds to import

    def admits(secret: str) -> bool:
        key = keys.find(secret)
        return key is not None and key.kind == "secret" and "metrics" in key.scopes

    return mount(app, lambda: live.current, Workshop(admits, kept.export), turnstile.place)


class Prefixed:
    """Tells every part under which prefix a proxy serves us, whether or not it strips it from the address. uvicorn's own
    setting would put it before addresses that hold it already."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(dict(scope, root_path=self._prefix) if self._prefix else scope, receive, send)


class NothingElse(BaseRoute):
    """Ends the API's addresses before the page, which takes whatever is left: 405 for a wrong method, else 404."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = get_route_path(scope)
        ours = scope["type"] == "http" and (
            is_api(path) or path.startswith("/docs") or path in ("/widget.js", "/embed")
        )
        return (Match.FULL, {}) if ours else (Match.NONE, {})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        methods = {
            method
            for method in ("GET", "HEAD", "POST")
            for route in self._app.router.routes
            if not isinstance(route, (NothingElse, Mount))
            and route.matches(dict(scope, method=method.replace("HEAD", "GET")))[0] == Match.FULL
        }
        if methods:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(methods))})
        raise HTTPException(404)
