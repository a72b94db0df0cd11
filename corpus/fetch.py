"""Fetcher: one file from the web, politely and safely.

Only https, only named hosts, only public addresses (checked on each connection, redirects too), within limits of size and
time; resumed where the connection breaks; checked to be the kind of file that was asked for. `robots.txt` is obeyed.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.robotparser import RobotFileParser

import httpcore

from corpus.addresses import FetchError, Resolve, check_url
from corpus.fetch_connection import Broken, CheckedBackend, host_of, refused, told
from corpus.fetch_part import Part, check_whole, continues, writing
from corpus.library import file_hash

AGENT = "Boussole17"
Progress = Callable[[int, int | None], None]  # bytes so far, total where it is known
HEAD = 1024  # bytes at its start that hold %PDF-
ROBOTS_BYTES = 512 * 1024


@dataclass(frozen=True)
class FetchLimits:
    bytes: int = 200 * 2**20
    seconds: float = 600.0  # for one file, all attempts together
    silence: float = 30.0  # without a byte
    redirects: int = 5
    attempts: int = 3
    pause: float = 1.0  # seconds between two requests to one host; robots.txt may ask for more
    patience: float = 60.0  # the longest Retry-After that is waited for; beyond, the message says when to come back


@dataclass(frozen=True)
class Download:
    """A file that was fetched. `unchanged`: the server says that the version known is still its own (no file then)."""

    path: Path
    url: str  # after redirects
    sha256: str
    size: int
    etag: str | None = None
    last_modified: str | None = None
    unchanged: bool = False


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: dict[str, str]
    url: str
    body: Iterator[bytes]


class Fetcher:
    """`hosts`: those that may be asked. `loopback` lets tests ask a server of this machine, without https."""

    def __init__(
        self,
        hosts: Collection[str],
        limits: FetchLimits | None = None,
        *,
        loopback: bool = False,
        resolve: Resolve = socket.getaddrinfo,
    ) -> None:
        self.hosts = frozenset(host.lower() for host in hosts)
        self.limits = limits or FetchLimits()
        self.loopback = loopback
        self._backend = CheckedBackend(loopback, resolve)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(), network_backend=self._backend, max_connections=2
        )
        self._asked: dict[str, float] = {}
        self._robots: dict[str, RobotFileParser | None] = {}

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fetch(
        self,
        url: str,
        part: Path,
        *,
        etag: str | None = None,
        last_modified: str | None = None,
        pdf: bool = True,
        progress: Progress = lambda *_: None,
    ) -> Download:
        """Bring `url` to the file `part`, going on from what an earlier attempt left there. `etag` and `last_modified` are
        those of the version that is known: where it is still the server's, nothing is brought. Raises FetchError."""
        self._backend.deadline = time.monotonic() + self.limits.seconds
        self._obey_robots(url)
        for attempt in range(1, self.limits.attempts + 1):
            try:
                return self._attempt(url, part, etag, last_modified, pdf, progress)
            except Broken as error:
                waits = error.wait is not None and error.wait > min(self.limits.patience, self._backend.left(None))
                if error.code == "http_status" and (waits or attempt == self.limits.attempts):
                    raise FetchError(str(error), code=error.code) from error
                if attempt == self.limits.attempts:
                    raise FetchError(f"{error} Relancez : le téléchargement reprendra là où il s'est arrêté.",
                                     code=error.code) from error  # fmt: skip
                time.sleep(error.wait or 0.0)
        raise AssertionError("unreachable")

    def _attempt(
        self, url: str, part: Path, etag: str | None, last_modified: str | None, pdf: bool, progress: Progress
    ) -> Download:
        headers: dict[str, str] = {}
        left = Part.of(part, url)
        if left.size and left.validator:
            headers |= {"Range": f"bytes={left.size}-", "If-Range": left.validator}
        elif etag or last_modified:
            headers |= {"If-None-Match": etag} if etag else {"If-Modified-Since": last_modified or ""}
        with self._get(url, headers) as answer:
            if answer.status == 304:
                return Download(part, answer.url, "", 0, etag, last_modified, unchanged=True)
            if answer.status == 416:  # what is there isn't the beginning of what the server has now
                left.discard()
                raise Broken(f"« {host_of(url)} » n'a plus la version commencée.", "truncated")
            if answer.status not in (200, 206):
                raise refused(answer.status, url, answer.headers.get("retry-after", ""))
            start = left.size if answer.status == 206 and continues(answer.headers, left.size) else 0
            if answer.status == 206 and not start:
                left.discard()
                raise Broken(f"« {host_of(url)} » a répondu à côté.", "truncated")
            left = left if start else Part.begin(part, url, answer.headers)
            total = self._receive(answer, part, start, pdf, progress)
        size = part.stat().st_size
        if total is not None and size != total:
            raise Broken(f"« {url} » : {size} octets reçus sur {total}.", "truncated")
        if pdf:
            check_whole(part, url)
        left.forget()
        return Download(
            part,
            answer.url,
            file_hash(part),
            size,
            answer.headers.get("etag"),
            answer.headers.get("last-modified"),
        )

    def _receive(self, answer: _Answer, part: Path, start: int, pdf: bool, progress: Progress) -> int | None:
        """Write the body to `part` from `start` on; returns the whole size where the server says it."""
        length = answer.headers.get("content-length", "")
        total = start + int(length) if length.isdigit() else None
        if total is not None and total > self.limits.bytes:
            raise self._too_large(answer.url)
        size, head = start, b"" if pdf and not start else None
        with writing(part, "r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            for block in answer.body:
                size += len(block)
                if size > self.limits.bytes:
                    raise self._too_large(answer.url)
                file.write(block)
                progress(size, total)
                if head is not None and len(head) < HEAD:
                    head += block
                    if len(head) >= HEAD and b"%PDF-" not in head[:HEAD]:
                        raise self._not_pdf(answer, part)
        if head is not None and b"%PDF-" not in head[:HEAD]:
            raise self._not_pdf(answer, part)
        return total

    def _not_pdf(self, answer: _Answer, part: Path) -> FetchError:
        Part(part, "", 0, None).discard()
        kind = answer.headers.get("content-type", "type inconnu").split(";")[0][:60]
        return FetchError(
            f"« {answer.url} » n'est pas un PDF ({kind}) : l'adresse a sans doute changé. Ouvrez-la dans un navigateur, "
            "corrigez le manifeste, ou ajoutez le fichier : boussole corpus add FICHIER",
            code="wrong_type",
        )

    def _too_large(self, url: str) -> FetchError:
        return FetchError(f"« {url} » dépasse {self.limits.bytes // 2**20} Mo : refusé.", code="too_large")

    # --- one request

    @contextmanager
    def _get(self, url: str, headers: dict[str, str]) -> Iterator[_Answer]:
        """The answer after redirects, each hop being checked. Raises FetchError, or Broken where trying again may help."""
        for _ in range(self.limits.redirects + 1):
            parsed = check_url(url, self.hosts, self.loopback)
            self._wait_for(parsed.host)
            asked = {
                "Host": parsed.netloc.decode(),
                "User-Agent": agent(),
                "Accept": "*/*",
                "Accept-Encoding": "identity",
            }
            timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self.limits.silence)
            with told(url), self._pool.stream(
                "GET", str(parsed.copy_with(fragment=None)), headers=list((asked | headers).items()),
                extensions={"timeout": timeouts},
            ) as response:  # fmt: skip
                said = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
                if response.status not in (301, 302, 303, 307, 308) or "location" not in said:
                    yield _Answer(response.status, said, str(parsed), response.iter_stream())
                    return
            url = str(parsed.join(said["location"]))
        raise FetchError(f"« {url} » : trop de redirections.", code="too_many_redirects")

    def _wait_for(self, host: str) -> None:
        robots = self._robots.get(host)
        asked = robots.crawl_delay(AGENT) if robots is not None else None
        pause = max(self.limits.pause, min(float(asked or 0), 30.0))
        left = self._asked.get(host, -pause) + pause - time.monotonic()
        if left > 0:
            time.sleep(left)
        self._asked[host] = time.monotonic()

    def _obey_robots(self, url: str) -> None:
        parsed = check_url(url, self.hosts, self.loopback)
        if parsed.host not in self._robots:
            self._robots[parsed.host] = self._read_robots(str(parsed.copy_with(raw_path=b"/robots.txt", fragment=None)))
        robots = self._robots[parsed.host]
        if robots is not None and not robots.can_fetch(AGENT, url):
            raise FetchError(
                f"« {parsed.host} » demande aux programmes de ne pas prendre ce fichier (robots.txt). Téléchargez-le "
                "vous-même, puis : boussole corpus add FICHIER",
                code="robots",
            )

    def _read_robots(self, url: str) -> RobotFileParser | None:
        """The site's rules; None where it has none, or where they can't be had (the document's own request will tell)."""
        try:
            with self._get(url, {}) as answer:
                if answer.status != 200:
                    return None
                text = b""
                for block in answer.body:
                    text += block
                    if len(text) > ROBOTS_BYTES:
                        break
        except Broken:
            return None
        rules = RobotFileParser(url)
        rules.parse(text.decode("utf-8", errors="replace").splitlines())
        return rules


def agent() -> str:
    try:
        number = version("boussole17")
    except PackageNotFoundError:
        number = "dev"
    return f"{AGENT}/{number} (corpus fetch; robots.txt)"
