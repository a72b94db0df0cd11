"""Fetching, against a real server of this machine: what is brought, what is resumed, what is refused."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web import PDF, Web, serve_web

from corpus.addresses import FetchError, check_url, is_public, public_addresses
from corpus.fetch import AGENT, Fetcher, FetchLimits

LIMITS = FetchLimits(bytes=2 * 2**20, seconds=5, silence=1, pause=0)


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        yield served


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    with Fetcher(["127.0.0.1"], LIMITS, loopback=True) as made:
        yield made


def code_of(fetcher: Fetcher, url: str, part: Path) -> str:
    with pytest.raises(FetchError) as caught:
        fetcher.fetch(url, part)
    assert "«" in str(caught.value)
    return caught.value.code


def test_a_pdf_is_brought_whole_with_what_names_its_version(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    got = fetcher.fetch(f"{web.url}/doc.pdf", tmp_path / "a.part", progress=lambda *step: seen.append(step))
    assert got.path.read_bytes() == PDF
    assert (got.size, got.etag) == (len(PDF), '"v1"')
    assert seen[-1] == (len(PDF), len(PDF))
    assert list(tmp_path.iterdir()) == [got.path]  # no trace of the download is left
    assert web.asked[-1][1]["user-agent"].startswith(f"{AGENT}/")


def test_a_known_version_is_not_brought_again(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    assert fetcher.fetch(f"{web.url}/doc.pdf", tmp_path / "a.part", etag='"v1"').unchanged
    web.etag = '"v2"'
    assert not fetcher.fetch(f"{web.url}/doc.pdf", tmp_path / "a.part", etag='"v1"').unchanged


def test_a_cut_download_goes_on_where_it_stopped(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    web.cuts["/cut.pdf"] = 2
    got = fetcher.fetch(f"{web.url}/cut.pdf", tmp_path / "a.part")
    assert got.path.read_bytes() == PDF
    ranges = [headers.get("range") for path, headers in web.asked if path == "/cut.pdf"]
    assert ranges[0] is None
    assert all(asked and asked.startswith("bytes=") for asked in ranges[1:])
    assert len(ranges) == 3


def test_a_later_run_resumes_but_never_mixes_two_versions(web: Web, tmp_path: Path) -> None:
    web.cuts["/cut.pdf"] = 9
    part = tmp_path / "a.part"
    with Fetcher(["127.0.0.1"], LIMITS, loopback=True) as first:
        assert code_of(first, f"{web.url}/cut.pdf", part) == "truncated"
    assert 0 < part.stat().st_size < len(PDF)
    web.cuts.clear()
    web.pdf, web.etag = PDF.replace(b"remplissage", b"REMPLISSAGE"), '"v2"'
    with Fetcher(["127.0.0.1"], LIMITS, loopback=True) as second:
        assert second.fetch(f"{web.url}/cut.pdf", part).path.read_bytes() == web.pdf


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("page.pdf", "wrong_type"),
        ("headless.pdf", "truncated"),
        ("large.pdf", "too_large"),
        ("endless.pdf", "too_large"),
        ("loop", "too_many_redirects"),
        ("404", "http_status"),
        ("503", "http_status"),
        ("to/http:~~10.0.0.1~secret.pdf", "insecure"),
        ("to/https:~~10.0.0.1~secret.pdf", "host_refused"),
        ("to/https:~~ailleurs.example~a.pdf", "host_refused"),
        ("to/file:~~~etc~passwd", "insecure"),
    ],
    ids=lambda value: value,
)
def test_what_is_refused_says_why(web: Web, fetcher: Fetcher, tmp_path: Path, path: str, code: str) -> None:
    assert code_of(fetcher, f"{web.url}/{path}", tmp_path / "a.part") == code


def test_a_redirect_to_a_private_address_is_refused_even_on_a_named_host(web: Web, tmp_path: Path) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.168.0.10", port))]

    hosts = ["127.0.0.1", "intranet.example"]
    with Fetcher(hosts, LIMITS, loopback=True) as fetcher:
        fetcher._backend._resolve = lambda host, *a, **k: (
            resolve(host, *a) if host == "intranet.example" else socket.getaddrinfo(host, *a, **k)
        )
        code = code_of(fetcher, f"{web.url}/to/https:~~intranet.example~a.pdf", tmp_path / "a.part")
    assert code == "private_address"


def test_a_name_that_changes_its_address_between_two_requests_is_refused(web: Web, tmp_path: Path) -> None:
    """DNS rebinding: each connection goes to the very address that was checked for it."""
    port = int(web.url.rsplit(":", 1)[1])
    answers = [["127.0.0.1"], ["10.9.8.7"]]

    def resolve(host: str, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answers.pop(0)]

    with Fetcher(["localhost"], LIMITS, loopback=True, resolve=resolve) as fetcher:
        assert code_of(fetcher, f"http://localhost:{port}/doc.pdf", tmp_path / "a.part") == "private_address"
    assert (answers, web.paths()) == ([], [])  # one resolution a connection: none can come after the check


def test_a_server_that_drips_is_given_up(web: Web, tmp_path: Path) -> None:
    limits = FetchLimits(bytes=2**20, seconds=0.6, silence=0.5, pause=0)
    began = time.monotonic()
    with Fetcher(["127.0.0.1"], limits, loopback=True) as fetcher:
        assert code_of(fetcher, f"{web.url}/slow.pdf", tmp_path / "a.part") == "too_slow"
    assert time.monotonic() - began < 5  # the server would go on for ten seconds


def test_robots_txt_is_obeyed(web: Web, fetcher: Fetcher, tmp_path: Path) -> None:
    web.robots = "User-agent: *\nDisallow: /doc.pdf\n"
    assert code_of(fetcher, f"{web.url}/doc.pdf", tmp_path / "a.part") == "robots"
    assert web.paths() == []


def test_requests_to_one_host_are_spaced(web: Web, tmp_path: Path) -> None:
    with Fetcher(["127.0.0.1"], FetchLimits(pause=0.3), loopback=True) as fetcher:
        began = time.monotonic()
        fetcher.fetch(f"{web.url}/doc.pdf", tmp_path / "a.part")
    assert time.monotonic() - began >= 0.29  # robots.txt, then the document


def test_nobody_at_the_address(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Fetcher(["127.0.0.1"], LIMITS, loopback=True) as fetcher:
        assert code_of(fetcher, f"http://127.0.0.1:{port}/a.pdf", tmp_path / "a.part") == "unreachable"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://odd17.org/a.pdf", "insecure"),
        ("https://odd17.org:8443/a.pdf", "insecure"),
        ("https://moi:secret@odd17.org/a.pdf", "insecure"),
        ("https://odd17.org.ailleurs.example/a.pdf", "host_refused"),
        ("https://127.0.0.1/a.pdf", "host_refused"),
        ("http://127.0.0.1/a.pdf", "insecure"),
        ("ftp://odd17.org/a.pdf", "insecure"),
        ("https://[odd17", "host_refused"),
        ("https://odd17.org:port/", "unreachable"),
    ],
)
def test_addresses_outside_the_rules(url: str, code: str) -> None:
    with pytest.raises(FetchError) as caught:
        check_url(url, {"odd17.org"})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "address",
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 ::1 :: "
    "fe80::1 fc00::1 ff02::1 ::ffff:10.0.0.1 2002:0a00:0001:: 64:ff9b::10.0.0.1 2001:db8::1".split(),
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_a_name_that_mixes_public_and_private_addresses_is_refused() -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (ip, 443)) for ip in ("8.8.8.8", "127.0.0.1")]

    with pytest.raises(FetchError, match="adresse privée"):
        public_addresses("piege.example", 443, resolve=resolve)
