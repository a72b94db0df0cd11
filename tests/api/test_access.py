"""Who gets in, and who doesn't: keys, sites, rates, proxies, forged headers."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.keys import KeyStore
from api.rates import FileStorage, Rates

pytestmark = pytest.mark.slow
SITE = "https://mairie.exemple.fr"
ASK = {"question": "C’est quoi l’ODD 17 ?"}
Visitor = Callable[..., TestClient]


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path)


def bearer(secret: str, origin: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"} | ({"Origin": origin} if origin else {})


@pytest.mark.parametrize(
    ("address", "base", "headers"),
    [
        ("203.0.113.7", "http://127.0.0.1:8017", {}),
        ("127.0.0.1", "http://evil.exemple.fr", {}),
        ("127.0.0.1", "http://127.0.0.1:8017", {"Origin": "https://evil.exemple.fr"}),
        ("127.0.0.1", "http://127.0.0.1:8017", {"Origin": "null"}),
        ("127.0.0.1", "http://127.0.0.1:8017", {"Sec-Fetch-Site": "cross-site"}),
        ("127.0.0.1", "http://127.0.0.1:8017", {"X-Forwarded-For": "203.0.113.7"}),
        ("127.0.0.1", "http://127.0.0.1:8017", {"Host": "[::1"}),
        ("127.0.0.1", "http://127.0.0.1:8017", {"Host": "127.0.0.1.evil.fr"}),
    ],
    ids=["elsewhere", "rebound name", "other site", "opaque site", "cross-site", "through a proxy", "no host", "longer name"],
)  # fmt: skip
def test_without_a_key_only_this_machine(visitor: Visitor, address: str, base: str, headers: dict[str, str]) -> None:
    response = visitor(address, base).post("/v1/search", json={"query": "alliance"}, headers=headers)
    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in response.headers


def test_a_secret_key_opens_and_its_revocation_holds_at_once(visitor: Visitor, store: KeyStore) -> None:
    key, secret = store.create("serveur")
    client = visitor()
    assert client.get("/v1/documents").status_code == 401
    assert client.get("/v1/documents", headers=bearer(secret)).status_code == 200
    assert client.get("/v1/documents", headers=bearer(secret[:-1] + "x")).status_code == 401
    store.revoke(key.id)
    assert client.get("/v1/documents", headers=bearer(secret)).status_code == 401
    assert secret not in (store._path.read_bytes()).decode("latin-1")


def test_a_publishable_key_serves_its_sites_alone(visitor: Visitor, store: KeyStore) -> None:
    _, secret = store.create("site", origins=[SITE])
    client = visitor()
    good = client.post("/v1/search", json={"query": "alliance"}, headers=bearer(secret, SITE))
    assert good.status_code == 200
    assert good.headers["access-control-allow-origin"] == SITE
    assert "Origin" in good.headers["vary"]
    assert "access-control-allow-credentials" not in good.headers
    for origin in ("", "null", "https://evil.fr", f"{SITE}.evil.fr", SITE.upper(), f"{SITE}:8443"):
        refused = client.post("/v1/search", json={"query": "alliance"}, headers=bearer(secret, origin))
        assert refused.status_code == 403
        assert "access-control-allow-origin" not in refused.headers
    assert client.get("/metrics", headers=bearer(secret, SITE)).status_code == 403


def test_preflights_answer_known_sites(visitor: Visitor, store: KeyStore) -> None:
    store.create("site", origins=[SITE])
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    client = visitor()
    yes = client.options("/v1/ask", headers={"Origin": SITE} | asked)
    assert yes.status_code == 204
    assert yes.headers["access-control-allow-origin"] == SITE
    no = client.options("/v1/ask", headers={"Origin": "https://evil.fr"} | asked)
    assert no.status_code == 403
    assert "access-control-allow-origin" not in no.headers


def test_guessing_keys_ends_in_429(visitor: Visitor, store: KeyStore) -> None:
    _, secret = store.create("serveur")
    client = visitor()
    statuses = [
        client.get("/v1/models", headers=bearer(f"sk_0000000{n % 10}_{'x' * 43}")).status_code for n in range(14)
    ]
    assert statuses[:10] == [401] * 10
    assert set(statuses[10:]) == {429}
    last = client.get("/v1/models", headers=bearer("sk_no"))
    assert 0 < int(last.headers["retry-after"]) <= 60
    assert client.get("/v1/models", headers=bearer(secret)).status_code == 200  # who has a key isn't locked out
    assert visitor("198.51.100.9").get("/v1/models", headers=bearer("sk_no")).status_code == 401


def test_a_rate_is_kept_by_key_and_told(visitor: Visitor, store: KeyStore) -> None:
    _, secret = store.create("serveur", rate="2/minute")
    _, other = store.create("autre", rate="2/minute")
    client = visitor()
    asked = [client.post("/v1/ask", json={"question": "bonjour"}, headers=bearer(secret)) for _ in range(3)]
    assert asked[-1].status_code == 429
    assert int(asked[-1].headers["retry-after"]) > 0
    assert "Réessayez" in asked[-1].json()["detail"] or "réessayez" in asked[-1].json()["detail"]
    assert client.post("/v1/ask", json={"question": "bonjour"}, headers=bearer(other)).status_code == 200


def test_the_page_of_a_keyed_server_opens_the_api_to_itself_alone(visitor: Visitor, store: KeyStore) -> None:
    store.create("serveur")
    client = visitor()
    assert client.post("/v1/search", json={"query": "alliance"}).status_code == 401
    cookie = client.get("/").headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Secure"))
    assert client.post("/v1/search", json={"query": "alliance"}).status_code == 200
    crossed = client.post("/v1/search", json={"query": "alliance"}, headers={"Origin": "https://evil.fr"})
    assert crossed.status_code == 401
    client.cookies.set("boussole_page", "99999999999.forged")
    forged = TestClient(client.app, base_url=str(client.base_url), client=("203.0.113.7", 1))
    forged.cookies.set("boussole_page", "99999999999." + "0" * 64)
    assert forged.post("/v1/search", json={"query": "alliance"}).status_code == 401


def test_a_frame_names_its_sites_and_its_token_serves_our_origin_alone(visitor: Visitor, store: KeyStore) -> None:
    key, secret = store.create("site", origins=[SITE])
    _, own = store.create("serveur")
    client = visitor()
    page = client.get("/embed", params={"key": secret})
    policy = page.headers["content-security-policy"]
    assert f"frame-ancestors {SITE}" in policy
    assert "unsafe" not in policy
    assert "x-frame-options" not in page.headers
    token = re.search(r'key="(et_[^"]+)"', page.text)[1]
    here = str(client.base_url).rstrip("/")
    assert client.get("/v1/about", headers=bearer(token, here)).status_code == 200
    assert client.get("/v1/about", headers=bearer(token, "https://evil.fr")).status_code == 401
    assert (
        client.get("/v1/about", headers=bearer(token[:-1] + ("1" if token[-1] == "0" else "0"), here)).status_code
        == 401
    )
    assert client.get("/embed", params={"key": own}).status_code == 401
    assert client.get("/embed", params={"key": "pk_<script>"}).status_code == 401
    store.revoke(key.id)
    assert client.get("/v1/about", headers=bearer(token, here)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/v1/documents", "/", "/docs", "/widget.js", "/healthz", "/v1/nowhere", "/openapi.json"]
)
def test_every_response_has_its_security_headers(visitor: Visitor, store: KeyStore, path: str) -> None:
    _, secret = store.create("serveur")
    response = visitor().get(path, headers=bearer(secret) | {"X-Request-ID": "abc\tdef"})
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors" in response.headers["content-security-policy"]
    assert "max-age" in response.headers["strict-transport-security"]
    assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])  # what was given is no id


def test_head_is_answered_like_get_without_its_body(visitor: Visitor, store: KeyStore) -> None:
    _, secret = store.create("serveur")
    response = visitor().head("/v1/documents", headers=bearer(secret))
    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize(
    "path",
    [
        "/v1/documents/..%2f..%2fetc%2fpasswd/file",
        "/v1/documents/%2e%2e/file",
        "/v1/documents/agenda-2030%00/file",
        "/v1/documents/*/file",
        "/v1/documents/agenda-203[0]/file",
        "/widget.js/../../api/keys.py",
        "/docs/..%2f..%2fpyproject.toml",
    ],
)
def test_no_path_leads_out_of_the_corpus(visitor: Visitor, store: KeyStore, path: str) -> None:
    _, secret = store.create("serveur")
    assert visitor().get(path, headers=bearer(secret)).status_code in (404, 422)


def test_odd_bodies_are_refused_in_french(visitor: Visitor, store: KeyStore) -> None:
    _, secret = store.create("serveur", rate="1000/minute")
    client = visitor()
    headers = bearer(secret) | {"Content-Type": "application/json"}
    for body in (
        b"\xff\xfe{",
        b'{"question": "\xff"}',
        b"[" * 100_000,
        b'{"question": "\\ud800"}',
        b'{"question": 1e999}',
        b"",
    ):
        response = client.post("/v1/ask", content=body, headers=headers)
        assert response.status_code in (400, 422)
        assert response.json()["detail"]


def test_an_answer_can_be_kept_until_the_corpus_changes(visitor: Visitor, store: KeyStore) -> None:
    _, secret = store.create("serveur")
    client = visitor()
    first = client.get("/v1/ask", params=ASK, headers=bearer(secret))
    assert first.json()["status"] == "answered"
    tag = first.headers["etag"]
    again = client.get("/v1/ask", params=ASK, headers=bearer(secret) | {"If-None-Match": tag})
    assert again.status_code == 304
    assert client.post("/v1/ask", json=ASK, headers=bearer(secret)).headers["etag"] == tag
    assert client.get("/v1/ask", params={"question": "Autre chose ?"}, headers=bearer(secret)).headers["etag"] != tag


def test_workers_count_together_in_a_file_and_windows_end(tmp_path: Path) -> None:
    import limits
    from limits.strategies import FixedWindowRateLimiter

    one, two = (Rates(FixedWindowRateLimiter(FileStorage(tmp_path / "rates.sqlite"))) for _ in range(2))
    rate = limits.parse("3/second")
    waits = [rates.wait(rate, "key") for rates in (one, two, one, two)]
    assert waits[:3] == [None] * 3
    assert waits[3] == 1
    time.sleep(1.1)
    assert two.wait(rate, "key") is None
