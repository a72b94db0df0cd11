"""uvicorn's HTTP protocol, with bounds on the head of a request: its size, and the time that it may take to come.

uvicorn bounds the time between two requests but not the time of the head of one, so a client that sends a letter a second
would hold a connection for ever (slow loris). Bodies have their own bounds, in api.limits.
"""

from __future__ import annotations

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 15.0
HEAD_BYTES = 64 * 1024


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request line and headers are too slow (408) or too long (431)."""

    head_seconds = HEAD_SECONDS
    _timer: asyncio.TimerHandle | None = None
    _size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast(asyncio.Transport, transport))
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except (UnicodeDecodeError, ValueError):  # an address that isn't ASCII or has no path
            self._refuse(b"400 Bad Request")
            return
        if self._timer is not None and not self.transport.is_closing():
            self._size += len(data)
            if self._size > HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._timer is None:  # the next request on a connection that is kept
            self._begin()

    def on_headers_complete(self) -> None:
        self._end()
        super().on_headers_complete()

    def _begin(self) -> None:
        self._size = 0
        self._timer = self.loop.call_later(self.head_seconds, self._refuse, b"408 Request Timeout")

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: bytes) -> None:
        self._end()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()
