"""The widget in a real browser, on a partner's page of another origin with a policy that refuses nearly everything."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from chromium import chromium
from javascript import node_modules
from partner import Site, partner
from playwright.sync_api import Browser, Page, Request, Route
from servers import Keyed

pytestmark = pytest.mark.slow
QUESTION = "Combien de catalyseurs territoriaux ont émergé en France ?"
TURNED = "Rapport\u202eFDP.exe\u2066"  # turns what follows it from right to left
HOSTILE = "<img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>"


@dataclass
class Place:
    """A partner's site with a key of its own, and a browser that notes what goes wrong on its pages."""

    site: Site
    key: str
    browser: Browser
    hosts: set[str] = field(default_factory=set)

    def open(self, attributes: str = "", width: int = 1200, height: int = 800, **more: object) -> Page:
        page = self.browser.new_page(viewport={"width": width, "height": height}, **more)  # type: ignore[arg-type]
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if "Content Security Policy" in m.text else None)
        page.on("request", lambda sent: self.hosts.add("/".join(sent.url.split("/")[:3])))
        page.goto(self.site.page(f'<boussole-chat key="{self.key}" {attributes}></boussole-chat>'))
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def place(keyed: Keyed, browser: Browser) -> Iterator[Place]:
    with partner(keyed.address) as site:
        _, key = keyed.keys.create("partenaire", origins=[site.origin], rate="1000/minute")
        yield Place(site, key, browser)


def answered(status: int, body: str, kind: str, origin: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(
        status=status, body=body, content_type=kind, headers={"Access-Control-Allow-Origin": origin}
    )


def ask(page: Page, question: str = QUESTION) -> None:
    page.fill("textarea#question", question)
    page.press("textarea#question", "Enter")


def test_a_bubble_answers_and_proves_under_a_strict_policy(place: Place, keyed: Keyed) -> None:
    page = place.open()
    page.click("text=Poser une question")
    assert page.evaluate("document.querySelector('boussole-chat').shadowRoot.activeElement.id") == "question"
    ask(page)
    page.wait_for_selector(".turn.answered")
    assert "350" in page.inner_text(".turn .text")
    page.click(".call >> nth=0")
    page.wait_for_selector("canvas[role=img]")
    yellow = page.evaluate(
        """() => { const c = document.querySelector('boussole-chat').shadowRoot.querySelector('canvas');
        const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;
        for (let i = 0; i < d.length; i += 4) n += d[i] > 200 && d[i + 1] > 160 && d[i + 2] < 90; return n; }"""
    )
    assert yellow > 500  # the quote is highlighted
    assert place.errors == []
    assert place.hosts == {keyed.address, place.site.origin}  # nobody else is asked anything
    assert page.context.cookies() == []
    assert page.evaluate("localStorage.length") == 0
    page.close()


def test_another_site_is_refused_and_is_told_why(keyed: Keyed, place: Place) -> None:
    with partner(keyed.address) as other:
        page = place.browser.new_page()
        page.goto(other.page(f'<boussole-chat key="{place.key}" mode="inline"></boussole-chat>'))
        ask(page)
        page.wait_for_selector(".error")
        assert page.query_selector(".turn.answered") is None
        page.close()


def test_the_keyboard_alone_goes_everywhere_and_comes_back(place: Place) -> None:
    page = place.open()
    focused = "(() => { let e = document.activeElement; while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement; return e.className || e.id || e.tagName })()"
    page.focus(".launcher")
    page.keyboard.press("Enter")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn.answered")
    page.focus(".call >> nth=1")
    page.keyboard.press("Enter")
    page.wait_for_selector("canvas")
    assert page.evaluate(focused) == "source"
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == "call"
    assert page.is_hidden(".source")
    page.keyboard.press("Escape")
    assert page.evaluate(focused) == "launcher"
    assert page.is_hidden(".panel")
    assert page.get_attribute(".launcher", "aria-expanded") == "false"
    page.close()


def test_what_is_streamed_is_said_sentence_by_sentence(place: Place) -> None:
    page = place.open('mode="inline"')
    ask(page)
    page.wait_for_selector(".turn.answered")
    said = page.locator("[role=status] p").all_inner_texts()
    assert "cherche" in said[0]
    assert len(said) > 2
    assert not any("[1]" in sentence for sentence in said)
    assert page.get_attribute("[role=status]", "aria-live") == "polite"
    page.close()


def test_feedback_copy_suggestions_and_a_new_conversation(place: Place, keyed: Keyed) -> None:
    page = place.open('mode="inline"')
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page)
    page.wait_for_selector(".turn.answered")
    page.click("text=Copier avec les sources")
    page.wait_for_selector("text=Copié.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "Sources :" in copied
    assert "[1]" in copied
    page.click("text=Pas utile")
    page.fill(".comment textarea", "Trop long")
    page.click("text=Envoyer")
    page.wait_for_selector(".foot >> text=Merci de votre avis.")
    with sqlite(keyed) as rows:
        assert (-1, "Trop long") in rows
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.click(".turn .chips button >> nth=0")
    page.wait_for_selector(".turn:nth-of-type(2):is(.answered, .abstained)")
    body = json.loads(next(r.post_data or "" for r in sent if r.url.endswith("/v1/ask") and r.method == "POST"))
    assert [turn["role"] for turn in body["history"]] == ["user", "assistant"]
    page.reload()
    page.wait_for_selector(".turn:nth-of-type(2)")  # this tab keeps its conversation
    page.click("text=Nouvelle conversation")
    assert page.query_selector(".turn") is None
    page.reload()
    page.wait_for_selector(".welcome")
    assert page.query_selector(".turn") is None
    page.close()


def test_hostile_documents_questions_and_models_are_shown_as_text(place: Place) -> None:
    page = place.open('mode="inline"')
    citation = {
        "n": 1, "document_id": "x", "title": TURNED + HOSTILE, "page": 1, "page_label": HOSTILE, "section": HOSTILE, "quote": HOSTILE,
        "score": 1, "page_url": "/v1/documents/x/pages/1", "source_url": "javascript:document.title='pwned'",
    }  # fmt: skip
    answer = {
        "id": "0" * 32, "question": HOSTILE, "standalone_question": HOSTILE, "status": "answered", "citations": [citation],
        "answer": f"{HOSTILE} **<b>x</b>** [1] [2] [link](javascript:alert(1))\n- {HOSTILE} [1]", "suggestions": [HOSTILE],
        "sentences": [], "synthesizer": "llm", "fallback": None, "index_generation": "g", "timings_ms": {},
    }  # fmt: skip
    events = [("citation", citation), ("text", {"delta": answer["answer"]}), ("done", answer)]
    body = "".join(f"event: {name}\r\ndata: {json.dumps(data)}\r\n\r\n" for name, data in events)
    page.route("**/v1/ask", answered(200, body, "text/event-stream", place.site.origin))
    page_text = json.dumps({"text": f"avant {HOSTILE} après", "raw_text": "", "label": "1"})
    page.route("**/pages/1", answered(200, page_text, "application/json", place.site.origin))
    ask(page, HOSTILE)
    page.wait_for_selector(".turn.answered")
    assert HOSTILE in page.inner_text(".turn h3")
    assert page.locator(".text .call").count() == 2  # [2] has no citation: it stays text
    assert "\u202e" not in (page.get_attribute(".call >> nth=0", "aria-label") or "")
    page.click(".call >> nth=0")
    assert page.inner_text(".source h3") == f"RapportFDP.exe{HOSTILE}"
    page.wait_for_selector(".page-text mark")  # no picture of that page: its text
    root = "document.querySelector('boussole-chat').shadowRoot"
    assert page.evaluate(f"{root}.querySelectorAll('img, script, iframe, b').length") == 0
    assert page.evaluate(f"[...{root}.querySelectorAll('a')].length") == 0  # no link to javascript:
    assert page.title() == "Mairie"
    page.close()


@pytest.mark.parametrize("status", [0, 429, 500])
def test_a_failure_is_told_and_can_be_tried_again(place: Place, status: int) -> None:
    page = place.open('mode="inline"')
    told = json.dumps({"detail": "Trop de demandes : réessayez dans 7 s."})
    respond = answered(status, told if status == 429 else "<html>oops</html>", "text/html", place.site.origin)
    page.route("**/v1/ask", respond if status else lambda route: route.abort())
    ask(page)
    page.wait_for_selector(".error")
    assert "réessayez" in page.inner_text(".error").lower()
    page.unroute("**/v1/ask")
    page.click("text=Reposer la question")
    page.wait_for_selector(".turn.answered")
    assert page.locator(".turn").count() == 1
    page.close()


def test_stopping_an_answer(place: Place) -> None:
    page = place.open('mode="inline"')
    page.route("**/v1/ask", lambda route: None)
    ask(page)
    page.click("text=Arrêter")
    page.wait_for_selector("text=Réponse interrompue.")
    assert page.inner_text(".send") == "Demander"
    page.close()


def test_english_strings_and_the_corpus_is_described(place: Place) -> None:
    page = place.open('mode="inline" lang="en" theme="dsfr"')
    page.wait_for_selector("text=Your questions are not kept.")
    assert page.inner_text(".send") == "Ask"
    page.close()


@pytest.mark.parametrize("attributes", ["", 'mode="inline"', 'theme="dsfr" scheme="dark"'])
def test_at_320_pixels_and_with_large_text_nothing_is_cut(place: Place, attributes: str) -> None:
    page = place.open(attributes, width=320, height=640)
    page.evaluate("document.documentElement.style.setProperty('font-size', '200%')")
    if 'mode="inline"' not in attributes:
        page.click("text=Poser une question")
    ask(page)
    page.wait_for_selector(".turn.answered")
    root = "document.querySelector('boussole-chat').shadowRoot"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    wide = f"[...{root}.querySelectorAll('.panel, .body, .turn, form')].filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.className)"
    assert page.evaluate(wide) == []
    box = page.locator(".send").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 320
    page.close()


@pytest.mark.parametrize(
    "attributes", ["", 'theme="dsfr"', 'scheme="dark"', 'scheme="dark" theme="dsfr"', 'scheme="auto"']
)
def test_axe_finds_nothing(place: Place, attributes: str) -> None:
    axe = (node_modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    page = place.open(attributes, color_scheme="dark" if "auto" in attributes else "light", reduced_motion="reduce")

    def violations() -> list[str]:
        page.evaluate(axe)
        found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
        return [f"{v['id']}: {v['nodes'][0]['html'][:150]}" for v in found["violations"]]

    assert violations() == []
    page.click("text=Poser une question")
    page.wait_for_selector("text=ne sont pas conservées")
    assert violations() == []
    ask(page)
    page.wait_for_selector(".turn.answered")
    page.click("text=Utile")
    page.wait_for_selector(".comment")
    assert violations() == []
    page.click(".call >> nth=0")
    page.wait_for_selector("canvas")
    assert violations() == []
    page.click("text=Lire le texte de la page")
    page.wait_for_selector("mark")
    assert violations() == []
    page.keyboard.press("Escape")
    ask(page, "Qui a gagné la coupe du monde de football en 1998 ?")
    page.wait_for_selector(".turn.abstained")
    assert violations() == []
    page.route("**/v1/ask", lambda route: route.abort())
    ask(page, "Et encore ?")
    page.wait_for_selector(".error")
    assert violations() == []
    error, log = page.locator(".error").bounding_box(), page.locator(".body").bounding_box()
    assert error
    assert log
    assert error["y"] + error["height"] <= log["y"] + log["height"]  # in sight
    page.close()


def test_nothing_moves_where_less_motion_is_wanted(place: Place) -> None:
    page = place.open(reduced_motion="reduce")
    page.click("text=Poser une question")
    page.route("**/v1/ask", lambda route: None)
    ask(page)
    root = "document.querySelector('boussole-chat').shadowRoot"
    assert page.evaluate(f"{root}.querySelector('.wait').getAnimations().length") == 0
    assert page.evaluate(f"{root}.querySelector('.panel').getAnimations().length") == 0
    page.close()


def test_a_frame_is_shown_on_the_keys_sites_alone(place: Place, keyed: Keyed) -> None:
    source = f"{keyed.address}/embed?key={place.key}&theme=dsfr"
    page = place.browser.new_page()
    errors: list[str] = []
    page.on("console", lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None)
    page.goto(place.site.frame(source))
    frame = page.frame_locator("iframe")
    frame.locator("textarea#question").fill(QUESTION)
    frame.locator("textarea#question").press("Enter")
    frame.locator(".turn.answered").wait_for()
    frame.locator(".call").first.click()
    frame.locator("canvas").wait_for()
    assert errors == []
    with partner(keyed.address) as other:
        page.goto(other.frame(source))
        page.wait_for_timeout(500)
        assert any("frame-ancestors" in error for error in errors)
    page.close()


def test_the_script_is_small_and_its_headers_let_any_page_load_it(keyed: Keyed) -> None:
    response = httpx.get(f"{keyed.address}/widget.js")
    assert len(gzip.compress(response.content)) < 40_000
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["content-type"].startswith("text/javascript")
    tag = response.headers["etag"]
    assert httpx.get(f"{keyed.address}/widget.js", headers={"If-None-Match": tag}).status_code == 304
    code = response.text
    assert "innerHTML" not in code
    assert "document.cookie" not in code
    assert "localStorage" not in code


class sqlite:
    """The opinions kept by the server: (rating, comment)."""

    def __init__(self, keyed: Keyed) -> None:
        self._path = keyed.data / "feedback.sqlite"

    def __enter__(self) -> list[tuple[int, str]]:
        import sqlite3

        with sqlite3.connect(self._path) as db:
            return db.execute("SELECT rating, comment FROM feedback").fetchall()

    def __exit__(self, *_: object) -> None:
        return None
