"""A served session, good and bad requests, a model that fails: then all that the server wrote is searched for what it may not hold."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx
import pytest
from servers import command

from api.keys import KeyStore
from rag.settings import Settings

pytestmark = pytest.mark.slow
WORDS = ("catalyseurs-zibeline", "zibeline-historique", "zibeline-avis", "zibeline-mal-formee", "zibeline-chemin")
VISITOR, ORIGIN = "203.0.113.77", "https://zibeline-site.exemple.fr"
MODEL_KEY = "sk-modele-zibeline-0123456789"


def test_nothing_asked_no_key_no_address_is_in_what_the_server_wrote(settings: Settings, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    _, secret = store.create("Mairie", rate="100000/minute")
    _, public = store.create("Site", origins=[ORIGIN])
    wrong = f"sk_{'0' * 8}_{'z' * 43}"
    question = f"Combien de catalyseurs territoriaux ont émergé en France, dit {WORDS[0]} ?"
    history = [{"role": "user", "content": WORDS[1]}, {"role": "assistant", "content": WORDS[1]}]
    model = {
        "BOUSSOLE_LLM_BASE_URL": "http://127.0.0.1:9/v1",
        "BOUSSOLE_LLM_API_KEY": MODEL_KEY,
        "BOUSSOLE_LLM_TIMEOUT": "2",
        "BOUSSOLE_TRUSTED_PROXIES": "127.0.0.1",
    }
    with command(settings, tmp_path, **model) as (running, address):
        base = {"X-Forwarded-For": VISITOR, "User-Agent": "zibeline-agent"}
        with httpx.Client(base_url=address, headers=base, timeout=60) as client:
            for given in (secret, public, wrong):
                keyed = {"Authorization": f"Bearer {given}", "Origin": ORIGIN}
                statuses = [
                    client.post("/v1/ask", json={"question": question, "history": history}, headers=keyed),
                    client.post("/v1/ask", json={"question": question, "stream": True}, headers=keyed),
                    client.get("/v1/ask", params={"question": question}, headers=keyed),
                    client.post("/v1/search", json={"query": question}, headers=keyed),
                    client.post(
                        "/v1/chat/completions",
                        json={"model": "boussole", "messages": [{"role": "user", "content": question}]},
                        headers=keyed,
                    ),
                    client.post(
                        "/v1/feedback", json={"answer_id": "0" * 32, "rating": -1, "comment": WORDS[2]}, headers=keyed
                    ),
                    client.post("/v1/ask", content=f'{{"question": "{WORDS[3]}', headers=keyed),
                    client.post("/v1/ask", json={"question": WORDS[3], "document_ids": [WORDS[3]]}, headers=keyed),
                    client.post("/v1/ask", json={"question": [WORDS[3]], "k": WORDS[3]}, headers=keyed),
                    client.get(f"/v1/documents/{WORDS[4]}?q={WORDS[4]}", headers=keyed),
                ]
                codes = [response.status_code for response in statuses]
                assert codes[0] == (401 if given == wrong else 200), codes
                assert 500 not in codes
            client.get("/v1/models", headers={"X-Api-Key": wrong})
        time.sleep(0.5)
        written = "".join(running.lines)  # type: ignore[attr-defined]
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    assert len([line for line in lines if line["logger"] == "boussole.requests"]) >= 30  # it did write
    told = [secret, public, wrong, secret[12:], public[12:], MODEL_KEY, VISITOR, question, "catalyseurs", "Traceback"]
    assert [word for word in (*told, *WORDS, "zibeline") if word in written] == []
