"""A small web server of this machine, that behaves as badly as real ones do."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PDF = b"%PDF-1.4\n" + b"% des octets de remplissage\n" * 4000 + b"startxref\n0\n%%EOF\n"


@dataclass
class Web:
    """`asked`: (path, headers) of each request. `cuts`: how many times a path still breaks in the middle."""

    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    cuts: dict[str, int] = field(default_factory=dict)
    robots: str = ""
    pdf: bytes = PDF
    etag: str = '"v1"'
    retry_after: str = "0"

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked if path != "/robots.txt"]


@contextmanager
def serve_web(tls: ssl.SSLContext | None = None) -> Iterator[Web]:
    """A server on a free port; over https with the certificate of `tls`."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return None

        def send(self, status: int, body: bytes = b"", **headers: str) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            if "Content_Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            web.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            name, _, rest = self.path.lstrip("/").partition("/")
            match name:
                case "robots.txt":
                    self.send(200 if web.robots else 404, web.robots.encode())
                case "doc.pdf" | "cut.pdf":
                    self.document(self.path)
                case "page.pdf":
                    self.send(200, b"<!doctype html><html><p>Introuvable</p></html>", Content_Type="text/html")
                case "to":
                    self.send(302, Location=rest.replace("~", "/"))
                case "busy.pdf":
                    self.busy()
                case "error.pdf":
                    failed = self.spent()
                    self.send(500 if failed else 200, b"" if failed else web.pdf)
                case "loop":
                    self.send(302, Location="/loop")
                case "large.pdf":
                    self.send(200, b"%PDF-", Content_Length=str(10**9))
                    self.close_connection = True
                case "endless.pdf":
                    self.endless()
                case "slow.pdf":
                    self.slow()
                case "headless.pdf":
                    self.send(200, b"%PDF-1.4\n" + b"x" * 5000)
                case "page.html":
                    self.send(
                        200, b"<html><title>Une page</title><body><h1>Une page</h1><p>Du texte.</p></body></html>"
                    )
                case _:
                    self.send(int(name) if name.isdigit() else 404)

        def document(self, path: str) -> None:
            if self.headers.get("If-None-Match") == web.etag:
                self.send(304)
                return
            start = 0
            asked = self.headers.get("Range", "")
            if asked.startswith("bytes=") and self.headers.get("If-Range") == web.etag:
                start = int(asked[6:].split("-")[0])
            body = web.pdf[start:]
            self.send_response(206 if start else 200)
            self.send_header("ETag", web.etag)
            self.send_header("Content-Length", str(len(body)))
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(web.pdf) - 1}/{len(web.pdf)}")
            self.end_headers()
            if web.cuts.get(path, 0) > 0:
                web.cuts[path] -= 1
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                self.connection.close()
                self.close_connection = True
                return
            self.wfile.write(body)

        def spent(self) -> bool:
            """Whether the path still fails once, by `cuts`."""
            left = web.cuts.get(self.path, 0)
            web.cuts[self.path] = max(0, left - 1)
            return left > 0

        def busy(self) -> None:
            if self.spent():
                self.send(429, Retry_After=web.retry_after)
            else:
                self.send(200, web.pdf)

        def endless(self) -> None:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                self.wfile.write(b"5\r\n%PDF-\r\n")
                for _ in range(4000):
                    self.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            except OSError:
                self.close_connection = True

        def slow(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            try:
                for _ in range(200):
                    self.wfile.write(b"%PDF-")
                    self.wfile.flush()
                    time.sleep(0.05)
            except OSError:
                self.close_connection = True

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that refuses the certificate is what some tests want."""

    server = Quiet(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    web.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
