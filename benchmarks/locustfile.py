"""Visitors who ask and read the stream to its end. It needs a server and a key with a high rate:

boussole keys create --name charge --rate 100000/minute
KEY=sk_… locust -f benchmarks/locustfile.py --host http://127.0.0.1:8017 --headless -u 50 -r 10 -t 60s
"""

from __future__ import annotations

import json
import os
import random
import time

from locust import HttpUser, between, events, task

QUESTIONS = (
    "Combien de catalyseurs territoriaux ont émergé en France ?",
    "Qu’est-ce que la prime à l’alliance ?",
    "Pourquoi une entreprise fait-elle alliance ?",
    "Quelle est la dotation du Fonds ODD 17 ?",
    "C’est quoi l’ODD 17 ?",
    "Quel temps fait-il à Lyon ?",
)


class Visitor(HttpUser):
    """Asks, reads the answer for some seconds, asks again."""

    wait_time = between(5, 15)

    @task
    def ask(self) -> None:
        started = time.perf_counter()
        headers = {"Authorization": f"Bearer {os.environ.get('KEY', '')}"}
        body = {"question": random.choice(QUESTIONS), "stream": True}
        with self.client.post("/v1/ask", json=body, headers=headers, stream=True, catch_response=True, timeout=60) as r:
            if r.status_code == 429:
                r.success()  # told to wait: not an error
                return
            if r.status_code != 200:
                r.failure(f"status {r.status_code}")
                return
            first, name = 0.0, ""
            for line in r.iter_lines(decode_unicode=True):
                if line.startswith("event:"):
                    name = line.removeprefix("event:").strip()
                elif line.startswith("data:") and name == "text" and not first:
                    first = time.perf_counter() - started
                elif line.startswith("data:") and name == "done":
                    json.loads(line.removeprefix("data:"))
            if name != "done":
                r.failure(f"the stream ended with {name or 'nothing'}")
        for label, seconds in (("premier texte", first), ("réponse entière", time.perf_counter() - started)):
            events.request.fire(
                request_type="SSE", name=label, response_time=1000 * seconds, response_length=0, exception=None
            )
