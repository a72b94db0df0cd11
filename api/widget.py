"""GET /widget.js, /embed and /v1/about: what a partner's page needs, in one script line or one frame."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from html import escape
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.access import embed_token
from api.forms import About
from api.keys import KeyStore
from api.live import Live
from api.schema import errors
from corpus.errors import UsageError
from rag.settings import Settings

FOLDER = Path(__file__).resolve().parent / "static" / "widget"
PARTS = ("strings.js", "client.js", "text.js", "source.js", "chat.js")  # in the order in which they need each other
SCRIPT_HEADERS = {  # a script that any page may load, also with an integrity attribute
    "Cache-Control": "public, max-age=3600",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
EMBED_POLICY = (  # no style at all: the widget's own are constructed by its script
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; frame-ancestors {}"
)
EMBED = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>Boussole 17</title><script src="widget.js" defer></script></head>
<body><boussole-chat key="{token}" mode="page" theme="{theme}" lang="{lang}"></boussole-chat></body></html>
"""


class NoFrame(UsageError):
    """The frame was asked without a key that may stand in a page."""

    code = "key_unknown"


def widget(live: Live, keys: KeyStore, settings: Settings) -> APIRouter:
    routes = APIRouter(tags=["Widget"])

    @routes.get("/widget.js", include_in_schema=False)
    def script(request: Request) -> Response:
        code, tag = _script()
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=SCRIPT_HEADERS | {"ETag": tag})
        return Response(code, media_type="text/javascript", headers=SCRIPT_HEADERS | {"ETag": tag})

    @routes.get("/embed", include_in_schema=False)
    def embed(
        key: Annotated[str, Query(max_length=100)] = "",
        theme: Literal["neutral", "dsfr"] = "neutral",
        lang: Literal["fr", "en"] = "fr",
    ) -> HTMLResponse:
        found = keys.find(key)
        if found is None or found.kind != "publishable":
            raise NoFrame("Donnez une clé publiable en vigueur : /embed?key=pk_… (boussole keys create --origin URL).")
        page = EMBED.format(token=escape(embed_token(keys, found)), theme=theme, lang=lang)
        policy = EMBED_POLICY.format(" ".join(found.origins))
        return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})

    @routes.get("/v1/about", operation_id="about", summary="Ce que contient le corpus", responses=errors())
    def about() -> About:
        with live.use() as assistant:
            documents = assistant.documents
            return About(
                documents=len(documents),
                pages=sum(document.pages for document in documents),
                latest=max((document.date for document in documents if document.date), default=None),
                questions_kept=settings.log_questions,
                kept_days=settings.feedback_days,
                max_question=settings.max_question,
                index_generation=assistant.generation.name,
            )

    return routes


@cache
def _script() -> tuple[bytes, str]:
    """The widget's parts as one script that leaves nothing in the page but its element; and its ETag."""
    style = json.dumps((FOLDER / "widget.css").read_text(encoding="utf-8"))
    parts = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in PARTS)
    code = f'(() => {{\n"use strict";\nconst CSS_TEXT = {style};\n{parts}\n}})();\n'.encode()
    return code, f'"{hashlib.sha256(code).hexdigest()[:24]}"'
