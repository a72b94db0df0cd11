"""Sizes and times that bound one request, whoever asks."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

BODY = 1_000_000  # bytes: a question with the longest history is some 900 kB
DRAINED = 200_000_000  # bytes read and thrown away, so that a client that is still sending can read why it is refused
BODY_SECONDS = 20.0  # to send a body: a slow drip would hold a connection for ever


class Bodies:
    """Reads the whole body before the work begins; refuses one that is too large (413) or too slow (408)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        try:
            with anyio.fail_after(BODY_SECONDS):
                body = await _read(receive)
        except TimeoutError:
            detail = f"Le corps de la demande n'est pas arrivé en {BODY_SECONDS:.0f} secondes."
            response = problem(scope, 408, detail, code="slow_body", headers={"Connection": "close"})
            await response(scope, receive, send)
            return
        if body is None:
            detail = f"Demande trop grande : {BODY // 1000} ko au plus. Raccourcissez l'historique."
            response = problem(scope, 413, detail, code="too_large", headers={"Connection": "close"})
            await response(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


async def _read(receive: Receive) -> bytes | None:
    """The body; None where it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b"".join(parts)  # the client has left
        part = message.get("body", b"")
        size += len(part)
        if size <= BODY:
            parts.append(part)
        if not message.get("more_body") or size > DRAINED:
            return b"".join(parts) if size <= BODY else None


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body at once, then what really comes (the client's leaving)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
