"""Gradio's own HTML shell, in our words: French, our title and description, nothing that points at another site.

Gradio 6 has no setting for these: its template says `lang="en"`, and its metadata names its own site and pictures.
"""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DESCRIPTION = "Posez votre question sur les alliances et l’ODD 17 : une réponse courte, avec la page qui la prouve."
META = f"""<meta name="description" content="{DESCRIPTION}"><meta name="theme-color" content="#0b5a55">
<meta property="og:title" content="Boussole 17"><meta property="og:description" content="{DESCRIPTION}">"""
# Seen until the scripts have drawn the page: its outline, so that nothing jumps.
OUTLINE = """<div id="b17-outline" aria-hidden="true"><i></i><i></i><i></i></div>
<noscript>Boussole 17 a besoin de JavaScript pour dialoguer avec vous. Activez-le, ou utilisez l’API : <a href="docs">docs</a>.</noscript>"""
_FOREIGN = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>|<link[^>]+href="https?://[^>]*>')
_SCRIPT = re.compile(r'<script[^>]+src="(?:https?:)?//[^>]*>\s*</script>')


def translated(html: str, head: str) -> str:
    """The shell as we want it, with `head` at the end of its head; what the template no longer says stays as it is."""
    html = _SCRIPT.sub("", _FOREIGN.sub("", html)).replace('lang="en"', 'lang="fr"', 1)
    html = html.replace("</head>", f"{META}{head}</head>", 1)
    return re.sub(r"(<body[^>]*>)", lambda body: body.group(1) + OUTLINE, html, count=1)


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

        async def sent(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
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
