"""The gate on a real index with the real model: each part broken on purpose, one at a time, is stopped; nothing, isn't."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import pytest
from desk import Desk

from evals.baseline import accept
from evals.gate import Verdict
from rag.retrieve import Found, HybridRetriever
from rag.settings import STARTER_CORPUS

pytestmark = pytest.mark.slow


def codes(verdict: Verdict) -> set[str]:
    return {reason.code for reason in verdict.reasons}


def notices(verdict: Verdict) -> set[str]:
    return {notice.code for notice in verdict.notices}


def test_nothing_changed_ten_times_and_the_gate_stays_quiet(desk: Desk):
    some = desk.questions[::3]
    again = desk.folder / "some"
    accept(desk.measure(some), again)
    for _ in range(9):
        verdict = desk.gate(some, again)
        assert verdict.publish, verdict.sentence
    desk.index(rebuild=True)  # the same documents, embedded again
    verdict = desk.gate()
    assert verdict.publish, verdict.sentence
    assert verdict.reasons == ()
    assert "\n" not in verdict.sentence


def test_retrieval_broken(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    whole = HybridRetriever.find

    def worst_first(self: HybridRetriever, text: str, k: int = 10, document_ids: Any = ()) -> Found:
        found = whole(self, text, 60, document_ids)
        hits = [replace(hit, score=-hit.score) for hit in reversed(found.hits)]
        return replace(found, hits=tuple(hits[:k]))

    monkeypatch.setattr(HybridRetriever, "find", worst_first)
    verdict = desk.gate()
    assert not verdict.publish
    assert {"regression_facts", "regression_R@5"} <= codes(verdict)


def test_one_document_no_longer_found(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    whole = HybridRetriever.find

    def without_one(self: HybridRetriever, text: str, k: int = 10, document_ids: Any = ()) -> Found:
        found = whole(self, text, 2 * k, document_ids)
        hits = [hit for hit in found.hits if hit.chunk.document_id != "etudes-phare"]
        return replace(found, hits=tuple(hits[:k]))

    monkeypatch.setattr(HybridRetriever, "find", without_one)
    verdict = desk.gate()
    assert not verdict.publish
    assert any("etudes-phare" in reason.message for reason in verdict.reasons if reason.code == "concentrated")


def test_chunker_broken(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    import rag.index

    whole = rag.index.chunk

    def every_second(*given: Any) -> Any:
        return whole(*given)[::2]

    monkeypatch.setattr(rag.index, "chunk", every_second)
    monkeypatch.setattr(rag.index, "READER_VERSION", rag.index.READER_VERSION + 1)  # as after an update: read again
    desk.index()
    verdict = desk.gate()
    assert not verdict.publish
    assert {"evidence_lost", "text_lost"} <= codes(verdict)


def test_verifier_broken(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rag.verify.unsupported", lambda sentence: [])
    verdict = desk.gate()
    assert not verdict.publish
    assert "floor_falsified_rejected" in codes(verdict)


def test_a_date_changed_in_a_document(desk: Desk):
    desk.rewrite("agenda-2030", lambda text: text.replace("en juillet 2023", "en mars 2024"))
    verdict = desk.gate()
    assert not verdict.publish
    asked = {q.id for q in desk.questions if q.answerable and any("en juillet 2023" in e for e in q.evidence)}
    found = {item for reason in verdict.reasons if reason.code.startswith("stale") for item in reason.items}
    assert asked
    assert asked <= found


def test_a_document_removed(desk: Desk):
    (desk.documents / "ratios-d-equilibre.pdf").unlink()
    desk.index()
    verdict = desk.gate()
    assert not verdict.publish
    assert {"document_lost", "stale_gone"} <= codes(verdict)
    assert "ratios-d-equilibre" in verdict.sentence


def test_a_document_added_without_reference(desk: Desk):
    shutil.copy(STARTER_CORPUS / "pour-une-commune.pdf", desk.documents)
    desk.index()
    verdict = desk.gate()
    assert codes(verdict) == {"uncovered"}
    assert "evals draft pour-une-commune" in verdict.sentence


def test_text_that_moved_to_another_page_is_followed(desk: Desk):
    """A new first part, more than a page long, pushes everything down."""
    filler = "\n\n".join(
        f"## Préambule, partie {n}\n\n" + "Cette page rappelle le cadre dans lequel la fiche a été écrite. " * 9
        for n in range(1, 25)
    )
    desk.rewrite("ratios-d-equilibre", lambda text: text.replace("## À quoi servent", f"{filler}\n\n## À quoi servent"))
    verdict = desk.gate()
    assert "re_anchored" in notices(verdict)
    assert not {code for code in codes(verdict) if code.startswith("stale")}, verdict.sentence


def test_a_renamed_document_is_followed(desk: Desk):
    (desk.documents / "quatre-c.pdf").rename(desk.documents / "les-quatre-c-2027.pdf")
    desk.index()
    verdict = desk.gate()
    assert verdict.publish, verdict.sentence
    assert "re_anchored" in notices(verdict)


def test_a_reference_broken_by_hand(desk: Desk):
    first = next(q for q in desk.questions if q.facts and q.kind == "factual")
    broken = first.model_copy(update={"facts": (("Zébulon Krachmalnikov",),)})
    verdict = desk.gate([broken if q.id == first.id else q for q in desk.questions])
    assert codes(verdict) == {"stale_fact_absent"}
    assert first.id in verdict.sentence
