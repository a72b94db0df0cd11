"""What may go wrong between two updates, done on purpose to a real index: the gate stops each, says why in one sentence, and
names the stage that it comes from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from desk import Desk

import corpus.read
import rag.abstain
import rag.assistant
import rag.index
import rag.passages
import rag.retrieve
import rag.verify
from corpus.typeset import build as typeset
from rag.embedding import Encoded, Encoder
from rag.retrieve import HybridRetriever
from rag.settings import STARTER_CORPUS

pytestmark = pytest.mark.slow
Damage = Callable[[Desk, pytest.MonkeyPatch], None]


# --- retrieval


def dense_broken(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    """A question's vector that means nothing, as with another model's weights."""
    whole = Encoder.queries
    noise = np.random.default_rng(1).standard_normal(384).astype("float32")
    noise /= np.linalg.norm(noise)

    def lost(self: Encoder, texts: Sequence[str]) -> list[Encoded]:
        return [replace(one, vector=noise, seeking=noise) for one in whole(self, texts)]

    patch.setattr(Encoder, "queries", lost)


def words_broken(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    """BM25 that finds nothing: on a small corpus the other searches make up for it, and no answer is less good."""
    patch.setattr(HybridRetriever, "_lexical_scores", lambda self, _: np.zeros(len(self._generation), np.float32))


def late_interaction_off(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rag.retrieve, "LATE", 0.0)


def spread_off(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rag.passages, "SAME_PAGE", 0.0)


def titles_lost(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    whole = corpus.read.read

    def untitled(*given: Any, **named: Any) -> Any:
        document = whole(*given, **named)
        return replace(document, metadata=replace(document.metadata, title="Document"))

    patch.setattr(corpus.read, "read", untitled)
    desk.index(rebuild=True)


# --- answers


def first_sentence_only(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    whole = rag.assistant.compose

    def cut(*given: Any) -> Any:
        draft = whole(*given)
        return replace(draft, sentences=draft.sentences[:1])

    patch.setattr(rag.assistant, "compose", cut)


def numbers_unchecked(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rag.verify, "numbers", lambda text: set())
    patch.setattr(rag.verify, "_misplaced", lambda said, cited: [])


def abstention_off(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(rag.abstain, "probability", lambda _given: 1.0)


def quotes_on_another_page(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    whole = rag.assistant.Assistant._citation

    def next_page(self: Any, n: int, quote: Any) -> Any:
        return whole(self, n, quote).model_copy(update={"page": quote.page + 1})

    patch.setattr(rag.assistant.Assistant, "_citation", next_page)


def fails_on_numbers(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    whole = rag.assistant.compose

    def failing(found: Any, *given: Any) -> Any:
        if any(c.isdigit() for c in found.query.repaired):
            raise ValueError("a bug")
        return whole(found, *given)

    patch.setattr(rag.assistant, "compose", failing)


# --- reading and cutting


def last_page_lost(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    whole = corpus.read.read

    def shorter(*given: Any, **named: Any) -> Any:
        document = whole(*given, **named)
        return replace(document, pages=document.pages[:-1] if len(document.pages) > 1 else document.pages)

    patch.setattr(corpus.read, "read", shorter)
    _read_again(desk, patch)


def tables_lost(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    whole = rag.index.chunk
    patch.setattr(rag.index, "chunk", lambda *given: [c for c in whole(*given) if c.kind != "table"])
    _read_again(desk, patch)


def _read_again(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    """As after an update of the program: files are read and cut again, and vectors of the same chunks kept."""
    patch.setattr(rag.index, "READER_VERSION", rag.index.READER_VERSION + 1)
    desk.index()


# --- documents


def number_changed(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    desk.rewrite("ratios-d-equilibre", lambda text: text.replace("67 %", "70 %").replace("33 %", "30 %"))


def evidence_reworded(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    said = "La règle des « 4 tiers » concerne les compétences mobilisées."
    other = "Avec la règle des « 4 tiers », ce sont les savoir-faire donnés qui comptent."
    desk.rewrite("ratios-d-equilibre", lambda text: text.replace(said, other))


def newer_version_beside(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    text = (STARTER_CORPUS / "ratios-d-equilibre.md").read_text(encoding="utf-8")
    source = desk.folder / "ratios-d-equilibre-v2.md"
    source.write_text(text.replace("67 %", "70 %").replace("33 %", "30 %"), encoding="utf-8")
    typeset(source, desk.documents / "ratios-d-equilibre-v2.pdf")
    desk.index()


def file_cut_short(desk: Desk, patch: pytest.MonkeyPatch) -> None:
    path = desk.documents / "glossaire.pdf"
    path.write_bytes(path.read_bytes()[:400])
    desk.index()


@pytest.mark.parametrize(
    ("damage", "edited", "codes", "said"),
    [
        pytest.param(dense_broken, True, {"regression_signal:dense"}, "cause : recherche"),
        pytest.param(words_broken, True, {"regression_signal:lexical"}, "cause : recherche"),
        pytest.param(late_interaction_off, False, {"unexplained"}, "ni les documents ni le programme n'ont changé"),
        pytest.param(spread_off, False, {"unexplained"}, "ni les documents ni le programme n'ont changé"),
        pytest.param(titles_lost, False, {"titles_lost"}, "titre"),
        pytest.param(first_sentence_only, True, {"answers_worse"}, "cause : composition"),
        pytest.param(numbers_unchecked, True, {"floor_falsified_rejected"}, "phrases falsifiées"),
        pytest.param(abstention_off, True, {"concentrated"}, "« hors sujet » (4 sur 5) ; cause : composition"),
        pytest.param(quotes_on_another_page, True, {"floor_verbatim"}, "citations mot pour mot sur leur page"),
        pytest.param(fails_on_numbers, True, {"failed"}, "l'assistant a échoué sur"),
        pytest.param(last_page_lost, True, {"pages_lost"}, "des pages manquent dans agenda-2030, etudes-phare"),
        pytest.param(tables_lost, True, {"evidence_lost", "text_lost"}, "plus dans les passages"),
        pytest.param(number_changed, False, {"stale_changed"}, "dont la preuve a changé (q025, dans ratios-d-equilibre)"),
        pytest.param(evidence_reworded, False, {"stale_changed"}, "dans ratios-d-equilibre"),
        pytest.param(newer_version_beside, False, {"stale_changed"}, "(q025, dans ratios-d-equilibre)"),
        pytest.param(file_cut_short, False, {"document_lost", "stale_gone"}, "glossaire"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "-",
)  # fmt: skip
def test_the_gate_stops(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, damage: Damage, edited: bool, codes: set[str], said: str
) -> None:
    damage(desk, monkeypatch)
    verdict = desk.gate(edited=edited)
    assert not verdict.publish
    assert codes <= {reason.code for reason in verdict.reasons}
    assert said in verdict.sentence
    assert "\n" not in verdict.sentence
    assert len(verdict.sentence) < 900
