"""Liveness, readiness, figures, opinions: what an operator looks at."""

from __future__ import annotations

import time

from anyio.to_thread import run_sync
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST

from api.feedback import FeedbackStore
from api.forms import FeedbackReceipt, FeedbackRequest, State
from api.live import Live
from api.records import Figures
from api.schema import errors
from api.turnstile import Turnstile
from corpus.errors import BoussoleError
from rag.settings import Settings


def health(live: Live, figures: Figures, turnstile: Turnstile) -> APIRouter:
    routes = APIRouter(tags=["Service"])

    @routes.get("/healthz", operation_id="healthz", summary="Le serveur vit")
    def healthz() -> State:
        return State(status="ok")

    @routes.get("/readyz", operation_id="readyz", summary="L'index répond", responses={503: errors()[503]})
    def readyz() -> State:
        with live.use() as assistant:
            return State(status="ready", index_generation=assistant.generation.name)

    @routes.get(
        "/metrics",
        operation_id="metrics",
        summary="Les mesures, pour Prometheus",
        response_class=Response,
        responses=errors()
        | {200: {"description": "Les mesures", "content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    def metrics() -> Response:
        figures.waiting.set(turnstile.waiting)
        figures.working.set(turnstile.working)
        _describe(live, figures)
        return Response(figures.text(), media_type=CONTENT_TYPE_LATEST)

    return routes


def opinions(store: FeedbackStore, settings: Settings) -> APIRouter:
    routes = APIRouter(tags=["Avis"])

    @routes.post(
        "/v1/feedback", operation_id="send_feedback", summary="Donner un avis sur une réponse", responses=errors()
    )
    async def feedback(given: FeedbackRequest) -> FeedbackReceipt:
        await run_sync(store.record, given)
        return FeedbackReceipt(answer_id=given.answer_id, rating=given.rating, kept_days=settings.feedback_days)

    return routes


def _describe(live: Live, figures: Figures) -> None:
    try:
        with live.use() as assistant:
            generation = assistant.generation
            age = time.time() - (generation.folder / "generation.json").stat().st_mtime
            figures.serves(generation.name, max(0.0, age))
    except (BoussoleError, OSError):
        figures.serves("", 0.0)
