"""A partner's site: static pages with the policy that is asked for, on an origin of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

STRICT = (
    "default-src 'none'; script-src {0}; connect-src {0}; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Mairie</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="{server}/widget.js" defer></script></head>
<body><main><h1>La mairie</h1><p>Une page de partenaire.</p>{element}</main></body></html>"""
FRAME = """<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Cadre</title></head>
<body><main><h1>Cadre</h1><iframe title="Assistant" width="600" height="600" src="{source}"></iframe></main></body></html>"""


class Site:
    """`site.page(element)` is the address of a page that holds the element, under a strict policy."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.origin = ""
        self.pages: dict[str, tuple[str, str]] = {}

    def page(self, element: str) -> str:
        return self._add(PAGE.format(server=self.server, element=element), STRICT.format(self.server))

    def frame(self, source: str) -> str:
        return self._add(FRAME.format(source=source), f"default-src 'none'; frame-src {self.server}")

    def _add(self, html: str, policy: str) -> str:
        name = f"p{len(self.pages)}"
        self.pages[name] = (html, policy)
        return f"{self.origin}/?page={name}"


@contextmanager
def partner(server: str) -> Iterator[Site]:
    """A site that uses the assistant at `server`, stopped at the end of the block."""
    site = Site(server)

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = parse_qs(urlsplit(self.path).query).get("page", [""])[0]
            html, policy = site.pages.get(name, ("", "default-src 'none'"))
            self.send_response(200 if html else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, *_: object) -> None:
            return None

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    site.origin = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        httpd.shutdown()
        thread.join(5)
