"""A language model that writes well, invents, stops half-way, hangs or is away: the reader gets a verified answer each time."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from rag.answer import Turn
from rag.assistant import Assistant, DoneEvent, TextEvent
from rag.condense import condense
from rag.embedding import Encoder
from rag.settings import Settings
from rag.verify import numbers

pytestmark = pytest.mark.slow

QUESTION = "Combien de catalyseurs territoriaux ont émergé en France ?"
RIGHT = "Ce sont 350 catalyseurs territoriaux qui ont émergé en France [1]."
INVENTED = "Au total, 8123 catalyseurs territoriaux ont émergé en Patagonie [1]."
ENGLISH = "There are many territorial partners everywhere, and they share secrets [1]."
LIMIT = 2.0  # seconds left to the model


class FaultyModel(ThreadingHTTPServer):
    """Speaks the OpenAI form; `behaviour` says what it does with the next questions."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviour = RIGHT
        self.rewriting = "Combien de catalyseurs territoriaux ont émergé en France ?"
        self.asked: list[dict[str, object]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: FaultyModel

    def log_message(self, *_: object) -> None:
        return None

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        asked = self.server.asked[-1]["messages"]
        rewrites = "réécris" in asked[0]["content"]  # type: ignore[index]
        behaviour = self.server.rewriting if rewrites else self.server.behaviour
        if behaviour == "error 500" or behaviour == "error 429":
            self.send_error(int(behaviour[-3:]), "sk-secret-of-the-server")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if behaviour == "hangs":
            time.sleep(LIMIT + 3)
            return
        if behaviour == "not json":
            self.wfile.write(b"data: {{{{ not json\n\n")
            return
        words = "des alliances " * 100_000 if behaviour == "endless" else behaviour
        for piece in words.split(" ") if behaviour != "endless" else iter(lambda: "alliances", None):
            try:
                self._say(f"{piece} ")
            except OSError:
                return
        if behaviour != INVENTED + " cut":
            self.wfile.write(b"data: [DONE]\n\n")

    def _say(self, text: str) -> None:
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
        chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
        self.wfile.flush()


@pytest.fixture
def model() -> Iterator[FaultyModel]:
    server = FaultyModel()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def writing(settings: Settings, encoder: Encoder, model: FaultyModel) -> Iterator[Assistant]:
    given = {"llm_base_url": model.url, "llm_model": "essai", "llm_timeout": LIMIT}
    assistant = Assistant(settings.model_copy(update=given), encoder)
    yield assistant
    assistant.close()


def test_a_supported_sentence_is_shown_with_the_quote_that_proves_it(writing: Assistant) -> None:
    answer = writing.ask(QUESTION)
    assert (answer.synthesizer, answer.model, answer.fallback) == ("llm", "essai", None)
    assert answer.sentences[0].text == "Ce sont 350 catalyseurs territoriaux qui ont émergé en France."
    assert numbers(answer.answer) <= numbers(" ".join(c.quote for c in answer.citations))
    for citation in answer.citations:
        page = writing.page(citation.document_id, citation.page)
        assert page is not None
        assert citation.quote in page.text


@pytest.mark.parametrize(
    ("behaviour", "fallback"),
    [
        (INVENTED, "llm_unverified"),
        (ENGLISH, "llm_unverified"),
        ("[99] [98]", "llm_unverified"),
        ("Les catalyseurs territoriaux ont émergé en France [1].", "llm_unverified"),  # says the question again
        ("endless", "llm_unverified"),
        ("error 500", "llm_unavailable"),
        ("error 429", "llm_unavailable"),
        ("hangs", "llm_unavailable"),
        ("not json", "llm_unavailable"),
    ],
)
def test_a_faulty_model_is_replaced_by_the_corpus_own_sentences(
    writing: Assistant, model: FaultyModel, behaviour: str, fallback: str
) -> None:
    model.behaviour = behaviour
    started = time.monotonic()
    answer = writing.ask(QUESTION)
    assert time.monotonic() - started < LIMIT + 10
    assert (answer.status, answer.synthesizer, answer.model, answer.fallback) == (
        "answered",
        "extractive",
        None,
        fallback,
    )
    assert "350" in answer.answer
    assert "8123" not in answer.answer
    assert "Patagonie" not in answer.answer
    assert "secret" not in answer.model_dump_json()


def test_an_invented_sentence_is_dropped_and_the_right_one_kept(writing: Assistant, model: FaultyModel) -> None:
    model.behaviour = f"{INVENTED} {RIGHT}"
    told = ""
    for event in writing.stream(QUESTION):
        if isinstance(event, TextEvent):
            told += event.delta
            assert "8123" not in told  # never shown, not even for a moment
        elif isinstance(event, DoneEvent):
            assert event.answer.synthesizer == "llm"
    assert "350 catalyseurs" in told


def test_a_model_that_leaves_the_answer_out_is_completed(writing: Assistant, model: FaultyModel) -> None:
    model.behaviour = "Les catalyseurs territoriaux aident les acteurs d'un territoire [1]."
    assert "350" in writing.ask(QUESTION).answer


def test_a_model_that_failed_is_left_to_rest(writing: Assistant, model: FaultyModel) -> None:
    model.behaviour = "error 500"
    writing.ask(QUESTION)
    before = len(model.asked)
    assert writing.ask(QUESTION).fallback == "llm_unavailable"
    assert len(model.asked) == before


def test_passages_and_question_reach_the_model_as_data(writing: Assistant, model: FaultyModel) -> None:
    writing.ask(QUESTION)
    system, *shown, user = model.asked[0]["messages"]  # type: ignore[misc]
    assert [m["role"] for m in shown] == ["user", "assistant"]  # how it is done, on things that no corpus says
    assert "données" in system["content"]
    assert QUESTION not in system["content"]
    assert "<question>" in user["content"]
    assert QUESTION in user["content"]


FOLLOW_UP = "Et combien en France ?"
HISTORY = [
    Turn(role="user", content="Que font les catalyseurs territoriaux ?"),
    Turn(role="assistant", content="Ils ont émergé pour animer les relations entre acteurs."),
]


def test_a_follow_up_is_rewritten_by_the_model_where_it_brings_in_nothing(
    writing: Assistant, model: FaultyModel
) -> None:
    answer = writing.ask(FOLLOW_UP, HISTORY)
    assert answer.standalone_question == model.rewriting
    assert "350" in answer.answer


@pytest.mark.parametrize(
    "rewriting",
    [
        "Combien de catalyseurs de Patagonie ont émergé en 1987 ?",  # invented
        "Ce sont 350 catalyseurs territoriaux.",  # an answer, with a number of its own
        "Et combien ?",  # doesn't stand by itself
        "Que font les catalyseurs territoriaux ?",  # forgets what is asked
        "How many territorial catalysts are there in France?",
        "error 500",
        "hangs",
    ],
)
def test_an_unfaithful_rewriting_gives_way_to_the_rules(writing: Assistant, model: FaultyModel, rewriting: str) -> None:
    model.rewriting = rewriting
    answer = writing.ask(FOLLOW_UP, HISTORY)
    assert answer.standalone_question == condense(FOLLOW_UP, HISTORY)
    assert answer.status == "answered"


def test_a_question_that_stands_by_itself_is_left_as_it_is(writing: Assistant, model: FaultyModel) -> None:
    assert writing.ask(QUESTION, HISTORY).standalone_question == QUESTION
    assert all("réécris" not in str(asked["messages"]) for asked in model.asked)
