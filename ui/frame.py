"""Gradio's own HTML shell, in our words: French, our title and description, nothing that points at another site.

Gradio 6 has no setting for these: its template says `lang="en"`, and its metadata names its own site and pictures.
"""

from __future__ import annotations

import re
from html import escape

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.markup import address, read

DESCRIPTION = "Posez votre question sur les alliances et l’ODD 17 : une réponse courte, avec la page qui la prouve."
META = f"""<link rel="icon" href="favicon.ico"><meta name="description" content="{DESCRIPTION}"><meta name="theme-color" content="#0b5a55">
<meta property="og:title" content="Boussole 17"><meta property="og:description" content="{DESCRIPTION}">"""
# Seen until the scripts have drawn the page: its outline, so that nothing jumps.
OUTLINE = """<div id="b17-outline" aria-hidden="true"><i></i><i></i><i></i></div>
<noscript>Boussole 17 a besoin de JavaScript pour dialoguer avec vous. Activez-le, ou utilisez l’API : <a href="docs">docs</a>.</noscript>"""
NOTHING = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Page introuvable · Boussole 17</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><base href="{base}/">
<link rel="icon" href="favicon.ico"><link rel="stylesheet" href="{theme}"><link rel="stylesheet" href="{sheet}"></head>
<body><header><a href="./">{logo}<span>Boussole&nbsp;17</span></a></header><main><h1>Page introuvable</h1>
<p>Il n’y a rien à cette adresse. <a href="./">Posez votre question à Boussole&nbsp;17</a>.</p></main></body></html>"""
_FOREIGN = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>|<link[^>]+href="https?://[^>]*>')
_SCRIPT = re.compile(r'<script[^>]+src="(?:https?:)?//[^>]*>\s*</script>')


def translated(html: str, head: str) -> str:
    """The shell as we want it, with `head` at the end of its head; what the template no longer says stays as it is."""
    html = _SCRIPT.sub("", _FOREIGN.sub("", html)).replace('lang="en"', 'lang="fr"', 1)
    html = html.replace('href="/manifest.json"', 'href="manifest.json"')  # we may stand under a prefix
    html = html.replace("</head>", f"{META}{head}</head>", 1)
    return re.sub(r"(<body[^>]*>)", lambda body: body.group(1) + OUTLINE, html, count=1)


def _missing(scope: Scope) -> Response:
    """A page for a browser, for programs the form of the API's errors (RFC 9457)."""
    if "text/html" in Headers(scope=scope).get("accept", ""):
        return HTMLResponse(_nothing(scope), 404)
    told = {
        "type": "about:blank",
        "title": "Introuvable",
        "status": 404,
        "detail": "Rien à cette adresse. Les adresses de l'API sont décrites à /docs.",
        "instance": scope["path"],
        "code": "http",
    }
    return JSONResponse(told, 404, media_type="application/problem+json")


def _nothing(scope: Scope) -> str:
    """For who mistypes an address: in our words, with the way back."""
    theme, sheet = address("css/theme.css"), address("css/sheet.css")
    base = escape(scope.get("app_root_path", scope.get("root_path", "")).rstrip("/"))
    return NOTHING.format(base=base, theme=theme, sheet=sheet, logo=read("logo.svg"))


class Frame:
    """Serves the mounted Gradio application, its first page translated.

    Styles and scripts are added here, not by Gradio's `head`: it adds them once its own script has run, so late that the
    page would be seen bare, and its `css` rewrites selectors, which loses the dark palette.
    """

    def __init__(self, app: ASGIApp, head: str) -> None:
        self._app = app
        self._head = head

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""
        missing = False

        async def sent(message: Message) -> None:
            nonlocal start, body, missing
            if missing:  # told already, in the place of Gradio's own words
                return
            if message["type"] == "http.response.start":
                if message["status"] == 404:
                    missing = True
                    await _missing(scope)(scope, receive, send)
                    return
                kind = MutableHeaders(scope=message).get("content-type", "")
                if not kind.startswith("text/html"):
                    await send(message)
                    return
                start = message
                return
            if start is None:
                await send(message)
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            whole = translated(body.decode("utf-8"), self._head).encode()
            MutableHeaders(scope=start)["content-length"] = str(len(whole))
            await send(start)
            await send({"type": "http.response.body", "body": whole})

        await self._app(scope, receive, sent)
