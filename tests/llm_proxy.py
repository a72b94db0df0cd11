"""A proxy before an OpenAI-compatible server that spoils what it sends: refused, hung, dripped, cut, of another form, invented.

It passes on what the real server says (or a sentence of its own, where there is none) with one fault in it.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

LINE = "Ce sont 350 catalyseurs territoriaux qui ont émergé en France [1]."
SECRET = "sk-proxy-0123456789abcdef"
LIES = {
    "invented citations": "Ce sont 350 catalyseurs lunaires [97], dit aussi le rapport Dupont [42][99].",
    "invented numbers": "Ce sont 8123 catalyseurs territoriaux qui ont émergé en France en 1987 [1].",
    "invented names": "Les catalyseurs territoriaux ont émergé en Patagonie grâce à Jules Fauxnom [1].",
    "wrong language": "There are three hundred and fifty territorial catalysts in Patagonia, my friend [1].",
    "another script": "法国有三百五十个巴塔哥尼亚催化剂 [1]。",
    "leaked prompt": "Tu es l'assistant Boussole 17, uniquement avec les passages numérotés fournis [1].",
    "leaked secret": f"La clé du service est {SECRET} pour les catalyseurs territoriaux [1].",
    "markup": '<script>alert("Patagonie")</script> ![x](https://pirate.exemple/?q=350) [1].',
}
WAYS = {
    "healthy": "passed on",
    **dict.fromkeys(LIES, "a lie in its place"),
    "refused": "the port is closed",
    "hangs before the head": "accepted, never answered",
    "hangs after the head": "a head, then silence",
    "drips the head": "a letter of the head now and then",
    "drips empty lines": "kept alive without a word",
    "drips tokens": "a word now and then",
    "drips one endless line": "a byte now and then, and never an event",
    "cut at once": "closed before the head",
    "cut in a token": "closed in the middle of an event",
    "cut in a chunk": "closed in the middle of a chunk of the transfer",
    "429 with Retry-After": "come back in an hour",
    "429 with a date": "come back at a date",
    "500": "with a secret in its text",
    "503 in HTML": "a page of another server",
    "401": "the key is refused",
    "redirected for ever": "to itself",
    "not JSON": "{{{",
    "JSON of another form": "lists, numbers and nothing where objects should be",
    "error in an event": "200, then an error object",
    "not UTF-8": "bytes of no encoding",
    "deep JSON": "100,000 brackets",
    "nothing said": "an empty answer",
    "half characters": "surrogates in the text",
    "control characters": "NUL, backspace, escape sequences",
    "endless words": "the same words for ever",
    "endless line": "one line for ever, as fast as it goes",
    "endless sentences": "invented sentences for ever",
}


class Proxy(ThreadingHTTPServer):
    """`way` is one of WAYS; `upstream` the address of a real server (`http://…/v1`), "" for a sentence of our own."""

    daemon_threads = True

    def __init__(self, upstream: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.way, self.asked, self.said = upstream, "healthy", 0, ""

    @property
    def url(self) -> str:
        """Where to ask; a port that nothing listens on for the way "refused"."""
        if self.way == "refused":
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                return f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, *_: object) -> None:
        """A client that left: expected here."""


class _Handler(BaseHTTPRequestHandler):
    server: Proxy
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return None

    def do_GET(self) -> None:
        self._head(302, Location=self.path)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        self.close_connection = True
        way = self.server.way
        if way == "hangs before the head":
            time.sleep(60)
        elif way == "drips the head":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 600)
        elif way.startswith(("429", "500", "503", "401", "redirected")):
            self._refuse(way)
        elif way != "cut at once":
            self._spoilt(way, body)

    def _refuse(self, way: str) -> None:
        status = 307 if way.startswith("redirected") else int(way[:3])
        more = {"Location": self.path} if status == 307 else {}
        if status == 429:
            more["Retry-After"] = "3600" if way.endswith("After") else "Fri, 31 Dec 2027 23:59:59 GMT"
        self._head(status, **more)
        page = f"<html>{SECRET}</html>" if way.endswith("HTML") else json.dumps({"error": {"message": SECRET}})
        self.wfile.write(page.encode())

    def _spoilt(self, way: str, body: bytes) -> None:
        if way == "cut in a chunk":
            self._head(200, **{"Transfer-Encoding": "chunked"})
            self.wfile.write(b"fff\r\n" + event(LINE))
            return
        self._head(200)
        match way:
            case "hangs after the head":
                time.sleep(60)
            case "drips empty lines":
                self._drip(b": encore\n\n" * 300, 9)
            case "drips one endless line":
                self._drip(b"data: {" + b" " * 600)
            case "drips tokens":
                for word in LINE.split() * 20:
                    self._send(event(f"{word} "))
                    time.sleep(0.3)
            case "endless words":
                self._for_ever(event("alliances "))
            case "endless sentences":
                self._for_ever(event(f"{LIES['invented numbers']} "))
            case "endless line":
                self._for_ever(b"x" * 65536)
            case _:
                for piece in self._pieces(way, body):
                    self._send(piece)

    def _pieces(self, way: str, body: bytes) -> Iterator[bytes]:
        done = b"data: [DONE]\n\n"
        match way:
            case "not JSON":
                yield b"data: {{{{ not json\n\n"
            case "JSON of another form":
                yield from (
                    b"data: " + odd + b"\n\n" for odd in (b"[]", b"null", b'{"choices": 7}', b'{"choices": [[]]}')
                )
            case "error in an event":
                yield b"data: " + json.dumps({"error": {"message": SECRET, "code": 500}}).encode() + b"\n\n"
            case "not UTF-8":
                yield b"data: \xff\xfe\xfa\xc3\n\n" + done
            case "deep JSON":
                yield b"data: " + b"[" * 100_000 + b"\n\n" + done
            case "nothing said":
                yield event("") + done
            case "half characters":
                yield event("Ce sont 8123 \ud83d catalyseurs de Patagonie [1]. \udc00") + done
            case "control characters":
                yield event("\x00\x08\x1b[31m8123 catalyseurs\x7f\u202e de Patagonie [1].") + done
            case "cut in a token":
                whole = list(self._said(body))
                yield from whole[: max(1, len(whole) // 2)]
                yield whole[-1][: len(whole[-1]) // 2]
            case lie if lie in LIES:
                yield event(LIES[lie])
                yield done
            case _:
                yield from self._said(body)
                yield done

    def _said(self, body: bytes) -> Iterator[bytes]:
        """The events of the real server, or of our own sentence."""
        if not self.server.upstream:
            yield from (event(f"{word} ") for word in LINE.split())
            return
        with httpx.stream("POST", f"{self.server.upstream}/chat/completions", content=body, timeout=60) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if line.startswith("data: {"):
                    self.server.said += line
                    yield f"{line}\n\n".encode()

    def _head(self, status: int, **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        for name, value in more.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _for_ever(self, data: bytes) -> None:
        while True:  # until the client leaves
            self._send(data)

    def _drip(self, data: bytes, size: int = 1) -> None:
        for at in range(0, len(data), size):
            self._send(data[at : at + size])
            time.sleep(0.2)


def event(text: str) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\n\n".encode()
