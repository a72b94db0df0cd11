"""Requests as no library would send them, byte for byte to a running server, and what every response's head says."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from servers import Keyed

from api.app import create_app
from api.keys import KeyStore
from api.serve import _config
from rag.embedding import Encoder
from rag.settings import Settings

pytestmark = pytest.mark.slow
DOCUMENT = "metiers-des-catalyseurs"
JSON = "Content-Type: application/json\r\n"
QUERY = '{"query": "alliance", "k": 1}'
CHUNKED = f"{JSON}Transfer-Encoding: chunked\r\n"


def raw(keyed: Keyed, request: str, head: str = "", body: str = "", version: str = "1.1") -> tuple[int, str, bytes]:
    """Status, head and body of what the server answers to these bytes."""
    place = urlsplit(keyed.address)
    lines = f"{request} HTTP/{version}\r\nHost: {place.netloc}\r\nConnection: close\r\n"
    sent = f"{lines}Authorization: Bearer {keyed.secret}\r\n{head}\r\n{body}"
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(sent.encode("latin-1"))
        told = b"".join(iter(lambda: connection.recv(65536), b""))
    top, _, rest = told.partition(b"\r\n\r\n")
    return int(top.split(b" ", 2)[1]), top.decode("latin-1").lower(), rest


def posted(body: str) -> tuple[str, str]:
    return f"{JSON}Content-Length: {len(body)}\r\n", body


@pytest.mark.parametrize(
    ("request_line", "head", "body", "status"),
    [
        ("GET /v1/documents/%252e%252e%252fetc", "", "", 404),
        ("GET /v1/documents/..%252f..%252fetc/file", "", "", 404),
        ("GET /v1/documents/%ff%fe", "", "", 404),
        ("GET /v1/documents?x=%ff", "", "", 200),
        ("GET /page/x/..%2f..%2fpage.py", "", "", 404),
        ("GET /gradio_api/file=/etc/passwd", "", "", 403),
        ("HEAD /widget.js", "", "", 200),
        ("HEAD /docs", "", "", 200),
        ("HEAD /accessibilite", "", "", 200),
        ("HEAD /", "", "", 200),
        (f"HEAD /v1/documents/{DOCUMENT}/file", "", "", 200),
        ("OPTIONS /v1/ask", "", "", 405),
        ("TRACE /v1/documents", "", "", 405),
        (f"GET /v1/documents/{DOCUMENT}/file", "Range: bytes=0-99\r\n", "", 206),
        (f"GET /v1/documents/{DOCUMENT}/file", "Range: bytes=99999999-\r\n", "", 416),
        (f"GET /v1/documents/{DOCUMENT}/file", "Range: lines=1\r\n", "", 200),
        ("POST /v1/search", CHUNKED, f"{len(QUERY):x}\r\n{QUERY}\r\n0\r\n\r\n", 200),
        ("POST /v1/search", CHUNKED, "zz\r\n{}\r\n", 400),
        ("POST /v1/search", f"{CHUNKED}Content-Length: 5\r\n", f"{len(QUERY):x}\r\n{QUERY}\r\n0\r\n\r\n", 400),
        ("POST /v1/search", f"{JSON}Content-Length: 5\r\nContent-Length: 6\r\n", "{    }", 400),
        ("POST /v1/search", f"{JSON}Content-Length: -5\r\n", "", 400),
        ("POST /v1/search", JSON, "", 422),
        ("POST /v1/search", *posted('{"query": "a", "query": "alliance"}'), 200),
        ("POST /v1/search", *posted('{"query": NaN}'), 422),
        ("POST /v1/search", *posted('{"query": "alliance", "k": NaN}'), 422),
        ("POST /v1/search", *posted('{"query": "alliance", "k": 1e400}'), 422),
        ("POST /v1/search", *posted('{"query": "alliance", "k": ' + "9" * 5000 + "}"), 400),
        ("POST /v1/search", *posted("null"), 422),
    ],
)
def test_odd_requests_get_a_plain_status(keyed: Keyed, request_line: str, head: str, body: str, status: int) -> None:
    got, top, rest = raw(keyed, request_line, head, body)
    assert got == status, (top, rest[:200])
    assert "server:" not in top
    if request_line.startswith("HEAD"):
        assert rest == b""
    if status == 206:
        assert len(rest) == 100


def test_http_1_0_is_answered(keyed: Keyed) -> None:
    assert raw(keyed, f"GET /v1/documents/{DOCUMENT}", version="1.0")[0] == 200


@pytest.mark.parametrize(
    ("request_line", "head"),
    [
        ("GET /healthz?x=%0d%0aX-Evil:%20a", ""),
        ("GET /v1/documents/%0d%0aX-Evil:%20a", ""),
        ("GET /v1/documents/x/pages/1.png?quote=%0d%0aX-Evil:%20a", ""),
        ("GET /embed?key=%0d%0aX-Evil:%20a&theme=%0d%0aX-Evil:%20a", ""),
        ("GET /page/%0d%0aX-Evil:%20a/js/main.js", ""),
        ("GET /healthz", "X-Request-ID: a\r\n X-Evil: a\r\n"),
        ("GET /healthz", "X-Request-ID: a\nX-Evil: a\r\n"),
        ("GET /healthz", "X-Request-ID: a%0d%0aX-Evil: a\r\n"),
        ("GET /healthz", "Origin: https://a.fr%0d%0aX-Evil: a\r\n"),
    ],
)
def test_no_line_is_slipped_into_a_response(keyed: Keyed, request_line: str, head: str) -> None:
    _, top, _ = raw(keyed, request_line, head)
    assert not [line for line in top.splitlines() if line.startswith("x-evil")]


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/widget.js", "/v1/documents", "/accessibilite", "/atelier", "/v1/rien"]
)
def test_every_head_is_strict(keyed: Keyed, path: str) -> None:
    headers = httpx.get(keyed.address + path, headers={"Authorization": f"Bearer {keyed.secret}"}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "frame-ancestors" in headers["content-security-policy"]
    assert "server" not in headers
    assert "x-powered-by" not in headers
    assert "strict-transport-security" not in headers  # plain http: a browser would ignore it, or be locked out


def test_a_mistyped_address_is_told_in_french(keyed: Keyed) -> None:
    page = httpx.get(f"{keyed.address}/biblio/<b>", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "Page introuvable" in page.text
    assert "<b>" not in page.text
    told = httpx.get(f"{keyed.address}/biblio")  # a program gets no page
    assert told.headers["content-type"] == "application/problem+json"
    assert (told.json()["status"], told.json()["title"]) == (404, "Introuvable")


def test_json_cut_short_is_told_of_the_body_not_of_a_field(keyed: Keyed) -> None:
    headers = {"Authorization": f"Bearer {keyed.secret}", "Content-Type": "application/json"}
    told = httpx.post(f"{keyed.address}/v1/ask", content='{"question": ', headers=headers)
    assert told.status_code == 422
    assert [error["field"] for error in told.json()["errors"]] == ["corps"]


def behind(settings: Settings, encoder: Encoder, trusted: str, peer: str) -> TestClient:
    """A client that reaches the application from `peer`, through uvicorn's reading of forwarded headers."""
    config = _config(settings.model_copy(update={"trusted_proxies": trusted}), create_app(settings, encoder))
    config.load()
    return TestClient(config.loaded_app, base_url="http://boussole.exemple.fr", client=(peer, 4000))


@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [("", "10.0.0.2", False), ("10.0.0.2", "10.0.0.2", True), ("10.0.0.0/8", "10.1.2.3", True), ("10.0.0.2", "203.0.113.9", False)],
)  # fmt: skip
def test_forwarded_headers_are_believed_from_our_proxies_alone(
    settings: Settings, encoder: Encoder, tmp_path: object, trusted: str, peer: str, believed: bool
) -> None:
    own = settings.model_copy(update={"data": tmp_path})
    KeyStore(own.data).create("serveur")
    client = behind(own, encoder, trusted, peer)
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.1"}
    page = client.get("/healthz", headers=forwarded)
    assert ("strict-transport-security" in page.headers) is believed
    assert ("Secure" in client.get("/", headers=forwarded).headers["set-cookie"]) is believed

    def guess(n: int, claimed: str) -> int:
        headers = {"Authorization": f"Bearer sk_{n}", "X-Forwarded-For": claimed}
        return client.get("/v1/models", headers=headers).status_code

    # The last address is the one that our proxy saw; whatever a visitor wrote before it changes nothing.
    statuses = [guess(n, f"192.0.2.{n}, 198.51.100.7") for n in range(12)]
    assert statuses[10:] == [429, 429]
    assert guess(99, "198.51.100.8") == (401 if believed else 429)  # another visitor of the same proxy
