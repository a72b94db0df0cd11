"""The page where operators put it: under a prefix that a proxy strips, served by two processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from browsing import ask, open_citation, visiting
from playwright.sync_api import Browser
from servers import command

from rag.settings import Settings

pytestmark = pytest.mark.slow
PREFIX = "/boussole"
HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "date"}


@contextmanager
def stripping(target: str) -> Iterator[str]:
    """A proxy that hands `/boussole/…` on as `/…`, and nothing else; its address."""

    class Proxy(BaseHTTPRequestHandler):
        def _pass_on(self) -> None:
            if not self.path.startswith(f"{PREFIX}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got = httpx.request(
                self.command,
                target + self.path.removeprefix(PREFIX),
                content=body,
                headers=dict(self.headers),
                timeout=60,
            )
            self.send_response(got.status_code)
            for name, value in got.headers.multi_items():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(got.content)))
            self.end_headers()
            self.wfile.write(got.content)

        do_GET = do_POST = do_HEAD = _pass_on

        def log_message(self, *_: object) -> None:
            return None

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
    finally:
        httpd.shutdown()
        thread.join(5)


def test_the_page_works_under_a_prefix_with_two_workers(browser: Browser, settings: Settings, tmp_path: Path) -> None:
    arguments = ("--workers", "2", "--root-path", PREFIX)
    with command(settings, tmp_path, *arguments) as (_, told), stripping(told.removesuffix(PREFIX)) as proxy:
        assert told.endswith(PREFIX)
        with visiting(browser, f"{proxy}{PREFIX}/", 1366, 768) as page:
            asked: set[str] = set()
            page.on("request", lambda sent: asked.add(sent.url))
            ask(page, "Combien de catalyseurs territoriaux ont émergé en France ?")
            open_citation(page)
            assert page.evaluate("document.getElementById('b17-pdf').href").startswith(f"{proxy}{PREFIX}/v1/documents/")
            page.keyboard.press("Escape")
            page.click("#b17-views a >> nth=1")
            page.wait_for_selector(".b17-open")
            page.reload()
            page.wait_for_selector(".b17-open")
            assert [url for url in asked if not url.startswith((f"{proxy}{PREFIX}/", "data:", "blob:"))] == []
            page.goto(f"{proxy}{PREFIX}/accessibilite")
            page.click("header a")
            page.wait_for_selector(".b17-turn")
