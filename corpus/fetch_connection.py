"""Connections to addresses that were checked, under one deadline; httpcore's errors as ours."""

from __future__ import annotations

import math
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import httpx

from corpus.addresses import FetchError, Resolve, public_addresses


class Broken(Exception):
    """The connection broke or was silent; trying again, from where it stopped, may help."""

    def __init__(self, message: str, code: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.code, self.wait = code, wait  # wait: seconds that the server asks for


class CheckedBackend(httpcore.SyncBackend):
    """Connects to the very addresses that were checked; nothing outlives the deadline, not even a drop a minute."""

    def __init__(self, loopback: bool, resolve: Resolve) -> None:
        super().__init__()
        self._loopback, self._resolve = loopback, resolve
        self.deadline = float("inf")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = public_addresses(host, port, self._loopback, self._resolve)
        for number, address in enumerate(addresses, 1):
            try:
                stream = super().connect_tcp(address, port, self.left(timeout), local_address, socket_options)
                return _TimedStream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise AssertionError("unreachable")

    def left(self, timeout: float | None) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return min(left, timeout if timeout is not None else left)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, backend: CheckedBackend) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._backend.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _TimedStream(
            self._stream.start_tls(ssl_context, server_hostname, self._backend.left(timeout)), self._backend
        )

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@contextmanager
def told(url: str) -> Iterator[None]:
    """httpcore's errors as ours. An error inside the block that is ours goes through."""
    host = host_of(url)
    try:
        yield
    except httpcore.TimeoutException as error:
        raise Broken(f"« {host} » ne répond plus, ou trop lentement.", "too_slow") from error
    except httpcore.ConnectError as error:
        if "CERTIFICATE" in str(error).upper():
            raise FetchError(
                f"« {host} » : certificat refusé ({error}). Si votre réseau a son propre certificat, donnez-le par la "
                "variable SSL_CERT_FILE.",
                code="insecure",
            ) from error
        raise Broken(f"« {host} » est injoignable.", "unreachable") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Broken(f"« {host} » a coupé la connexion.", "truncated") from error


def refused(status: int, url: str, retry_after: str = "") -> FetchError | Broken:
    """The error of an answer's status; Broken where the server says that it is for a time (429, 500, 502, 503, 504)."""
    wait = seconds_of(retry_after)
    if status in (404, 410):
        what = "n'existe plus (erreur 404) : cherchez sa nouvelle adresse et corrigez le manifeste"
    elif status in (401, 403):
        what = (
            f"n'est pas en accès libre (erreur {status}) : téléchargez-le vous-même, puis boussole corpus add FICHIER"
        )
    elif status in (429, 503):
        when = f"dans {_duration(wait)}" if wait else "plus tard"
        what = f"est demandé trop souvent ou indisponible (erreur {status}) : réessayez {when}"
    else:
        what = f"a répondu par l'erreur {status} : réessayez plus tard"
    message = f"« {url} » {what}."
    if status in (500, 502, 504) or (status in (429, 503) and wait is not None):
        return Broken(message, "http_status", wait)
    return FetchError(message, code="http_status")


def seconds_of(retry_after: str) -> float | None:
    """What a Retry-After header asks for, given in seconds or as a date; None where it says nothing usable."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{math.ceil(seconds)} secondes"
    return f"{math.ceil(seconds / 60)} minutes" if seconds < 7200 else f"{math.ceil(seconds / 3600)} heures"


def host_of(url: str) -> str:
    return httpx.URL(url).host
