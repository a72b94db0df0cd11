"""The API of the contract over the starter corpus, called through a real client."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from rag.answer import Answer
from rag.embedding import Encoder
from rag.settings import Settings

pytestmark = pytest.mark.slow
QUESTION = "Combien de catalyseurs territoriaux ont émergé en France ?"


def test_ask_gives_the_contract_and_its_quotes_are_on_their_pages(client: TestClient) -> None:
    answer = Answer.model_validate(client.post("/v1/ask", json={"question": QUESTION}).json())
    assert answer.status == "answered"
    for citation in answer.citations:
        assert citation.quote in client.get(citation.page_url).json()["text"]
        picture = client.get(f"{citation.page_url}.png", params={"quote": citation.quote})
        assert picture.headers["content-type"] == "image/png"
        plain = client.get(f"{citation.page_url}.png")
        assert picture.content != plain.content  # something is highlighted


def test_a_stream_ends_with_the_whole_answer(client: TestClient) -> None:
    with client.stream("POST", "/v1/ask", json={"question": QUESTION, "stream": True}) as response:
        lines = list(response.iter_lines())
    names = [line[7:] for line in lines if line.startswith("event: ")]
    data = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    assert names[-1] == "done"
    text = "".join(d["delta"] for n, d in zip(names, data, strict=True) if n == "text")
    assert text == data[-1]["answer"]


def test_search_documents_and_files(client: TestClient) -> None:
    passages = client.post("/v1/search", json={"query": "prime à l'alliance", "k": 3}).json()["passages"]
    assert len(passages) == 3
    documents = client.get("/v1/documents").json()["documents"]
    assert len(documents) >= 20
    file = client.get(f"/v1/documents/{documents[0]['id']}/file")
    assert file.content.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/documents/nulle-part", None, 404),
        ("POST", "/v1/ask", {}, 422),
        ("POST", "/v1/ask", {"question": "  "}, 422),
        ("POST", "/v1/ask", {"question": "Quoi ?", "document_ids": ["nulle-part"]}, 404),
        ("POST", "/v1/search", {"query": "x" * 2_000_000}, 413),
    ],
)
def test_bad_requests_get_a_problem_in_french(
    client: TestClient, method: str, path: str, body: dict[str, object] | None, status: int
) -> None:
    response = client.request(method, path, json=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]


def test_health_readiness_and_schema(client: TestClient) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json()["status"] == "ready"
    assert "/v1/ask" in client.get("/openapi.json").json()["paths"]


def test_without_an_index_it_is_alive_and_says_what_to_type(settings: Settings, encoder: Encoder) -> None:
    empty = settings.model_copy(update={"index": settings.index / "nowhere"})
    with TestClient(create_app(empty, encoder), base_url="http://127.0.0.1", client=("127.0.0.1", 50000)) as client:
        assert client.get("/healthz").status_code == 200
        response = client.get("/readyz")
    assert response.status_code == 503
    assert "boussole index" in response.json()["detail"]
