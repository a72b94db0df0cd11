"""The visitor's journey on the chat page, in a real browser, on a desktop and a phone."""

from __future__ import annotations

import io
import json
from urllib.parse import quote

import httpx
import pypdfium2
import pytest
from browsing import ENDED, ask, keep, open_citation
from playwright.sync_api import Page, Request

from api.highlight import squash
from rag.generation import Generation
from rag.settings import Settings

pytestmark = pytest.mark.slow


def test_a_visitor_asks_opens_the_proof_and_goes_on(page: Page) -> None:
    keep(page, "1-accueil")
    page.click("[data-example] >> nth=0")
    page.wait_for_selector(".b17-turn.answered")
    assert "350" in page.inner_text(".b17-text")
    keep(page, "2-reponse")
    open_citation(page)
    assert "catalyseur" in page.inner_text("#b17-quote").lower()
    assert page.locator(".b17-sentence.proved").count() == 1
    page.wait_for_timeout(500)
    keep(page, "3-citation")
    page.keyboard.press("Escape")
    assert not page.is_visible("#b17-panel")
    ask(page, "Quels sont leurs métiers ?", 2)
    page.reload()
    page.wait_for_selector(".b17-turn:nth-of-type(2)")  # the tab keeps its conversation
    page.click("#b17-new")
    assert page.query_selector(".b17-turn") is None


def test_the_highlight_covers_the_words_of_the_quote_and_is_in_sight(page: Page, address: str) -> None:
    ask(page, "C’est quoi l’ODD 17 ?")
    open_citation(page, 2)
    source = page.get_attribute("#b17-picture", "src") or ""
    shown = json.loads(page.evaluate("sessionStorage.getItem('boussole17.conversation')"))["turns"][0]["answer"]
    citation = shown["citations"][2]
    assert quote(citation["quote"], safe="!'()*") in source
    base = f"{address}/v1/documents/{citation['document_id']}"
    found = httpx.get(f"{base}/pages/{citation['page']}/highlight", params={"quote": citation["quote"]}).json()
    drawn = pypdfium2.PdfDocument(io.BytesIO(httpx.get(f"{base}/file").content))[citation["page"] - 1]
    width, height = drawn.get_size()
    under = " ".join(
        drawn.get_textpage().get_text_bounded(left * width, (1 - bottom) * height, right * width, (1 - top) * height)
        for left, top, right, bottom in found["boxes"]
    )
    covered = squash(under).letters
    assert [word for word in citation["quote"].split() if squash(word).letters not in covered] == []
    page.wait_for_timeout(600)  # the passage is brought in sight once the picture is there
    sheet, picture = page.locator("#b17-sheet").bounding_box(), page.locator("#b17-picture").bounding_box()
    assert sheet
    assert picture
    left, top, right, bottom = found["boxes"][0]
    assert sheet["y"] <= picture["y"] + top * picture["height"]
    assert picture["y"] + bottom * picture["height"] <= sheet["y"] + sheet["height"]
    assert sheet["x"] - 1 <= picture["x"] + left * picture["width"]
    assert picture["x"] + right * picture["width"] <= sheet["x"] + sheet["width"] + 1


def test_a_number_lights_its_sentence_and_shows_its_quote(desktop: Page) -> None:
    ask(desktop, "C’est quoi l’ODD 17 ?")
    desktop.hover(".b17-call >> nth=1")
    desktop.wait_for_selector("#b17-tip:not([hidden])")
    lit = desktop.inner_text(".b17-sentence.lit")
    shown = json.loads(desktop.evaluate("sessionStorage.getItem('boussole17.conversation')"))["turns"][0]["answer"]
    assert lit.startswith(shown["sentences"][1]["text"].replace("'", "’")[:30])
    assert shown["citations"][1]["quote"][:30] in desktop.inner_text("#b17-tip")
    desktop.hover("#b17-tip")  # the quote can be reached with the pointer
    desktop.wait_for_timeout(300)
    assert desktop.is_visible("#b17-tip")
    desktop.keyboard.press("Escape")
    assert not desktop.is_visible("#b17-tip")


def test_an_answer_comes_piece_by_piece_and_the_next_question_sends_what_was_said(desktop: Page) -> None:
    desktop.evaluate(
        """() => { window.seen = new Set(); new MutationObserver(() => {
             const text = document.querySelector(".b17-text"); if (text) window.seen.add(text.textContent); })
           .observe(document.getElementById("b17"), { childList: true, subtree: true, characterData: true }); }"""
    )
    desktop.click("[data-example] >> nth=5")
    desktop.wait_for_selector(f".b17-turn{ENDED}")
    assert desktop.evaluate("window.seen.size") > 2
    sent: list[Request] = []
    desktop.on("request", lambda request: sent.append(request))
    desktop.click(".b17-next .b17-chip >> nth=-1")
    desktop.wait_for_selector(f".b17-turn:nth-of-type(2){ENDED}")
    history = json.loads(next(r.post_data or "" for r in sent if r.url.endswith("/v1/ask")))["history"]
    assert [turn["role"] for turn in history] == ["user", "assistant"]
    assert "ODD 17" in history[0]["content"]


def test_pages_are_turned_and_the_text_reads_what_the_picture_shows(page: Page) -> None:
    ask(page, "Combien de catalyseurs territoriaux ont émergé en France ?")
    open_citation(page)
    page.click("#b17-larger")
    assert page.inner_text("#b17-scale") != "100 %"
    page.click("#b17-reading")
    page.wait_for_selector("#b17-page mark")
    assert page.inner_text("#b17-page mark").split() == page.inner_text("#b17-quote").strip("«» \u00a0").split()
    page.click("#b17-next")
    page.wait_for_function("document.getElementById('b17-number').value === '2'")
    assert page.is_disabled("#b17-next")
    assert "#page=2" in (page.get_attribute("#b17-pdf", "href") or "")
    page.fill("#b17-number", "1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#b17-page mark")
    page.click("#b17-quote-after")
    assert page.inner_text("#b17-step").startswith("2\u00a0sur")
    assert page.locator(".b17-call.open").inner_text() == "2"


def test_a_question_in_the_address_is_asked_once_and_the_link_holds_only_it(desktop: Page, address: str) -> None:
    desktop.goto(f"{address}/?q=Quelle est la dotation du Fonds ODD 17 ?")
    desktop.wait_for_selector(f".b17-turn{ENDED}")
    desktop.reload()
    desktop.wait_for_selector(f".b17-turn{ENDED}")
    assert desktop.locator(".b17-turn").count() == 1
    desktop.click("text=Copier le lien")
    desktop.wait_for_selector("text=Copié")
    link = desktop.evaluate("navigator.clipboard.readText()")
    assert link == f"{address}/?q=Quelle+est+la+dotation+du+Fonds+ODD+17+%3F"


def test_an_answer_is_copied_in_three_forms(desktop: Page) -> None:
    ask(desktop, "C’est quoi l’ODD 17 ?")
    forms = []
    for name in ("Texte et citations", "Markdown", "Référence bibliographique"):
        desktop.evaluate("navigator.clipboard.writeText('')")
        desktop.click(".b17-actions summary")
        desktop.click(f".b17-actions .b17-choices >> text={name}")
        desktop.wait_for_selector(".b17-actions >> text=Copié")  # maybe still the one of the form before
        desktop.wait_for_function("() => navigator.clipboard.readText().then(text => text !== '')")
        forms.append(desktop.evaluate("navigator.clipboard.readText()"))
    text, markdown, reference = forms
    assert "[1] L’ODD 17, l’essentiel, p.\u00a01\u00a0: «" in text
    assert "[^1]: «" in markdown
    assert "](http://" in markdown
    assert reference.startswith("Boussole 17. L’ODD 17, l’essentiel, 24\u00a0novembre\u00a02026, p.\u00a01.")


def test_the_conversation_is_taken_away_in_word_and_markdown(desktop: Page) -> None:
    ask(desktop, "C’est quoi l’ODD 17 ?")
    files = {}
    for name in ("markdown", "docx"):
        desktop.click("#b17-export summary")
        with desktop.expect_download() as waiting:
            desktop.click(f"[data-export={name}]")
        files[name] = waiting.value.path().read_bytes()
    assert "# Conversation avec Boussole 17" in files["markdown"].decode()
    assert files["docx"].startswith(b"PK")


def test_an_opinion_is_sent_with_its_comment(desktop: Page) -> None:
    ask(desktop, "C’est quoi l’ODD 17 ?")
    desktop.click("[aria-label='Réponse inutile']")
    desktop.fill(".b17-comment textarea", "Trop court.")
    with desktop.expect_request("**/v1/feedback") as waiting:
        desktop.click(".b17-comment >> text=Envoyer")
    desktop.wait_for_selector("text=Merci, c’est noté.")
    sent = json.loads(waiting.value.post_data or "")
    assert sent["rating"] == -1
    assert sent["comment"] == "Trop court."
    assert desktop.get_attribute("[aria-label='Réponse inutile']", "aria-pressed") == "true"


def test_the_last_question_is_edited_where_it_stands(page: Page) -> None:
    ask(page, "Quelle est la capitale du football ?")
    page.click("text=Modifier la question")
    keep(page, "5-modification")
    page.fill(".b17-edit textarea", "C’est quoi l’ODD 17 ?")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".b17-turn{ENDED}")
    assert page.locator(".b17-turn").count() == 1
    assert page.inner_text(".b17-asked") == "C’est quoi l’ODD\u00a017\u00a0?".replace("ODD\u00a017", "ODD 17")


def test_an_abstention_looks_different_and_offers_the_nearest_pages(page: Page) -> None:
    ask(page, "Qui a gagné la coupe du monde de football en 1998 ?")
    assert page.locator(".b17-turn.abstained").count() == 1
    assert page.locator(".b17-call").count() == 0
    page.wait_for_selector(".b17-nearest .b17-card")
    keep(page, "4-abstention")
    page.click(".b17-nearest .b17-card >> nth=0")
    page.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500")


def test_a_fallback_from_the_language_model_is_said_in_one_line(desktop: Page) -> None:
    answer = {
        "id": "0" * 32,
        "question": "q",
        "standalone_question": "q",
        "status": "answered",
        "answer": "Oui. [1]",
        "sentences": [{"text": "Oui.", "citations": [1]}],
        "citations": [
            {"n": 1, "document_id": "d", "title": "T", "page": 1, "page_label": "1", "section": "", "quote": "Oui."}
        ],
        "suggestions": [],
        "synthesizer": "extractive",
        "fallback": "llm_unavailable",
        "timings_ms": {"retrieve": 1},
    }
    events = f'event: text\ndata: {{"delta": "Oui. [1]"}}\n\nevent: done\ndata: {json.dumps(answer)}\n\n'
    desktop.route("**/v1/ask", lambda route: route.fulfill(body=events, content_type="text/event-stream"))
    ask(desktop, "Oui ?")
    assert "Le modèle de rédaction n’a pas répondu" in desktop.inner_text(".b17-fallback")


def test_the_library_lists_filters_opens_and_asks_one_document(page: Page, settings: Settings) -> None:
    page.click("#b17-views a >> nth=1")
    page.wait_for_selector(".b17-open")
    held = Generation.open_published(settings.index).documents
    assert page.locator("li.b17-book .b17-open").count() == len(held)
    keep(page, "6-bibliotheque")
    page.fill("#b17-find", "ratios equilibre")
    page.wait_for_function("document.querySelectorAll('.b17-open').length === 1")
    page.click(".b17-open")
    page.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500")
    page.click("#b17-only")
    page.wait_for_selector("#b17-filter:not([hidden])")
    title = page.inner_text("#b17-filter strong")
    page.keyboard.press("Escape")
    with page.expect_request("**/v1/ask") as waiting:
        ask(page, "Quels sont les ratios ?")
    (asked,) = json.loads(waiting.value.post_data or "")["document_ids"]
    assert held[asked].title == title
    assert title in page.inner_text(".b17-scope")
    shown = json.loads(page.evaluate("sessionStorage.getItem('boussole17.conversation')"))["turns"][0]["answer"]
    assert {c["document_id"] for c in shown["citations"]} <= {asked}
    keep(page, "7-document-filtre")
    page.click("#b17-filter button")
    assert not page.is_visible("#b17-filter")


def test_the_library_finds_a_passage_in_the_pages(desktop: Page) -> None:
    desktop.click("#b17-views a >> nth=1")
    desktop.fill("#b17-find", "prime à l’alliance")
    desktop.click("text=Chercher dans les pages")
    desktop.click("#b17-found .b17-card >> nth=0")
    desktop.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500")
    desktop.go_back()
    desktop.wait_for_selector("#b17-conversation:not([hidden])")


def test_the_first_screen_says_what_the_corpus_holds(desktop: Page, settings: Settings) -> None:
    held = Generation.open_published(settings.index).documents
    assert f"{len(held)} documents" in desktop.inner_text("#b17-figures")
    assert "ne sont pas conservées" in desktop.inner_text("#b17-privacy")
    assert desktop.locator("#b17-examples button").count() == 6
    assert desktop.evaluate("document.fonts.check('16px \"Source Sans 3\"')")


def test_the_question_box_is_in_sight_from_the_start(page: Page) -> None:
    box, size = page.locator("#b17-form").bounding_box(), page.viewport_size
    assert box
    assert size
    assert box["y"] + box["height"] <= size["height"]
