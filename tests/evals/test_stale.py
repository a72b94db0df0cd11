"""References followed, changed or lost, on pages written here."""

from __future__ import annotations

import json
from pathlib import Path

from evals.anchors import PageBook
from evals.questions import Question
from evals.stale import rewrite, staleness

FOUNDED = "Le comité a été fondé en 2012 par trois communes de la vallée."
REFERENCE = {
    "id": "r001",
    "question": "Quand le comité a-t-il été fondé ?",
    "document_id": "guide",
    "pages": [1],
    "evidence": [FOUNDED],
    "facts": [["2012"]],
}
ASKED = [Question.model_validate(REFERENCE)]


def book(**pages: list[str]) -> PageBook:
    return PageBook({(d, n): text for d, texts in pages.items() for n, text in enumerate(texts, 1)})


def test_evidence_in_its_place_is_fine():
    found = staleness(ASKED, book(guide=[f"Titre. {FOUNDED}"], autre=["Rien."]))
    assert (found.stale, found.moved, found.uncovered) == ((), (), ("autre",))


def test_evidence_on_another_page_is_followed_and_can_be_written(tmp_path: Path):
    found = staleness(ASKED, book(guide=["Préface.", "Sommaire.", FOUNDED.upper()]))
    assert found.stale == ()
    assert [moved.spots for moved in found.moved] == [(("guide", 3),)]
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps(REFERENCE) + "\n", encoding="utf-8")
    assert rewrite(path, found.moved) == 1
    assert json.loads(path.read_text(encoding="utf-8"))["pages"] == [3]


def test_a_renamed_document_is_followed():
    found = staleness(ASKED, book(guide_2027=["Préface.", FOUNDED]))
    assert found.stale == ()
    assert found.moved[0].spots == (("guide_2027", 2),)


def test_changed_evidence_shows_what_the_page_says_today():
    (broken,) = staleness(ASKED, book(guide=[f"Titre. {FOUNDED.replace('2012', '2013')} Suite."])).stale
    assert broken.state == "changed"
    assert "2013" in (broken.now or "")


def test_evidence_that_is_nowhere_is_gone():
    found = staleness(ASKED, book(guide=["Le budget triple chaque hiver, selon la présidente du syndicat mixte."]))
    assert [broken.state for broken in found.stale] == ["gone"]


def test_a_fact_that_its_page_does_not_say_is_told():
    wrong = Question.model_validate(REFERENCE | {"facts": [["1998", "quatre-vingt-dix-huit"]]})
    assert [broken.state for broken in staleness([wrong], book(guide=[FOUNDED])).stale] == ["fact_absent"]
