"""The chat page in a real browser, on a desktop and a phone."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Request, Route, sync_playwright

from api.app import create_app
from rag.embedding import Encoder
from rag.generation import Generation
from rag.settings import Settings

pytestmark = pytest.mark.slow
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
SCREENS = {"desktop": (1366, 768), "phone": (390, 844)}
ENDED = ".b17-turn.answered, .b17-turn.abstained, .b17-turn.refused"
# The lowest contrast of the visible text under #b17, on the first ground that isn't transparent.
LOWEST_CONTRAST = """() => {
  const parse = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => c.slice(0, 3).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  let lowest = [21, ""];
  for (const element of document.querySelectorAll("#b17 *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || element.disabled || !element.checkVisibility({ visibilityProperty: true })) continue;
    let ground = element;
    while ((parse(getComputedStyle(ground).backgroundColor)[3] ?? 1) === 0) ground = ground.parentElement;
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor]
      .map((c) => light(parse(c))).sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < lowest[0]) lowest = [ratio, element.textContent.trim().slice(0, 60)];
  }
  return lowest;
}"""


@pytest.fixture(scope="module")
def address(settings: Settings, encoder: Encoder) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(create_app(settings, encoder), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server stopped while starting"
        time.sleep(0.1)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(15)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "Chromium manque : sudo apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture(params=SCREENS, ids=list(SCREENS))
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    width, height = SCREENS[request.param]
    opened = browser.new_page(viewport={"width": width, "height": height})
    errors: list[str] = []
    hosts: set[str] = set()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda sent: hosts.add(urlsplit(sent.url).netloc))
    opened.goto(address)
    opened.wait_for_selector("#b17-form")
    yield opened
    assert errors == []
    assert hosts - {""} == {urlsplit(address).netloc}  # no request leaves the server
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.close()


def test_a_visitor_asks_opens_the_proof_and_goes_on(page: Page) -> None:
    page.click("[data-example] >> nth=0")
    page.wait_for_selector(".b17-turn.answered")
    assert "350" in page.inner_text(".b17-text")
    page.click(".b17-call >> nth=0")
    page.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500")
    assert "catalyseur" in page.inner_text("#b17-quote").lower()
    page.keyboard.press("Escape")
    assert not page.is_visible("#b17-panel")
    page.fill("#b17-question", "Quels sont leurs métiers ?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".b17-turn:nth-of-type(2).answered, .b17-turn:nth-of-type(2).abstained")
    page.reload()
    page.wait_for_selector(".b17-turn:nth-of-type(2)")  # the tab keeps its conversation
    page.click("#b17-new")
    assert page.query_selector(".b17-turn") is None


def test_a_question_is_shown_as_text_never_as_markup(page: Page) -> None:
    page.fill("#b17-question", "<img src=x onerror=alert(1)> quel temps à Lyon ?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".b17-turn.abstained, .b17-turn.answered, .b17-turn.refused")
    assert page.query_selector(".b17-asked img") is None


def test_an_answer_comes_piece_by_piece_and_the_next_question_sends_what_was_said(page: Page) -> None:
    page.evaluate(
        """() => { window.seen = new Set(); new MutationObserver(() => {
             const text = document.querySelector(".b17-text"); if (text) window.seen.add(text.textContent); })
           .observe(document.getElementById("b17"), { childList: true, subtree: true, characterData: true }); }"""
    )
    page.click("[data-example] >> nth=5")
    page.wait_for_selector(ENDED)
    assert page.evaluate("window.seen.size") > 2
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    page.click(".b17-turn:last-child .b17-foot .b17-chip >> nth=-1")  # a suggestion
    page.wait_for_selector(".b17-turn:nth-of-type(2):is(.answered, .abstained, .refused)")
    history = json.loads(next(r.post_data or "" for r in sent if r.url.endswith("/v1/ask")))["history"]
    assert [turn["role"] for turn in history] == ["user", "assistant"]
    assert "ODD 17" in history[0]["content"]


def test_a_question_in_the_address_is_asked_once(page: Page, address: str) -> None:
    page.goto(f"{address}/?q=Quelle est la dotation du Fonds ODD 17 ?")
    page.wait_for_selector(ENDED)
    page.reload()
    page.wait_for_selector(ENDED)
    assert page.locator(".b17-turn").count() == 1


def test_the_keyboard_alone_reaches_the_proof_and_comes_back(page: Page) -> None:
    page.fill("#b17-question", "C’est quoi l’ODD 17 ?")
    page.keyboard.press("Enter")
    page.wait_for_selector(ENDED)
    page.focus(".b17-call >> nth=0")
    page.wait_for_selector("#b17-tip:not([hidden])")
    assert "«" in page.inner_text("#b17-tip")  # the quote, without a mouse
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "b17-panel"
    page.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500")
    assert "#page=" in (page.get_attribute("#b17-pdf", "href") or "")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className").startswith("b17-call")


def test_the_last_page_has_no_next(page: Page) -> None:
    page.fill("#b17-question", "C’est quoi l’ODD 17 ?")
    page.keyboard.press("Enter")
    page.wait_for_selector(ENDED)
    page.click(".b17-call >> nth=0")
    for _ in range(10):
        page.wait_for_timeout(300)
        if page.is_disabled("#b17-next"):
            break
        page.click("#b17-next")
    assert page.is_disabled("#b17-next")
    page.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500")


def test_stopping_keeps_the_question_and_lets_one_go_on(page: Page) -> None:
    page.route("**/v1/ask", lambda route: None)  # an answer that never comes
    page.fill("#b17-question", "C’est quoi l’ODD 17 ?")
    page.click("#b17-send")
    assert page.inner_text("#b17-send") == "Arrêter"
    page.click("#b17-send")
    page.wait_for_selector(".b17-note")
    assert page.inner_text("#b17-send") == "Demander"
    page.unroute("**/v1/ask")
    page.click("text=Reposer la question")
    page.wait_for_selector(ENDED)
    assert page.locator(".b17-turn").count() == 1


@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_failure_is_told_in_french(page: Page, status: int) -> None:
    problem = json.dumps({"detail": "Trop de questions à la fois : réessayez dans quelques secondes."})

    def fail(route: Route) -> None:
        if status == 0:
            route.abort()
        elif status == 500:  # a proxy's own page
            route.fulfill(status=500, body="<html>Internal Server Error</html>")
        else:
            route.fulfill(status=503, body=problem, content_type="application/problem+json")

    page.route("**/v1/ask", fail)
    page.fill("#b17-question", "C’est quoi l’ODD 17 ?")
    page.keyboard.press("Enter")
    page.wait_for_selector(".b17-error")
    assert "réessayez dans quelques secondes" in page.inner_text(".b17-error").lower()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_readable_in_both_palettes(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.wait_for_selector("#b17-examples")
    dark = page.evaluate("getComputedStyle(document.getElementById('b17')).backgroundColor") == "rgb(18, 23, 29)"
    assert dark == (scheme == "dark")
    ratio, text = page.evaluate(LOWEST_CONTRAST)
    assert ratio >= 4.5, text
    page.click("[data-example] >> nth=0")
    page.wait_for_selector(ENDED)
    page.click(".b17-call >> nth=0")
    page.wait_for_selector("#b17-quote")
    ratio, text = page.evaluate(LOWEST_CONTRAST)
    assert ratio >= 4.5, text


def test_the_first_screen_says_what_the_corpus_holds(page: Page, settings: Settings) -> None:
    page.wait_for_selector("#b17-holdings:not(:empty)")
    count = len(Generation.open_published(settings.index).documents)
    assert f"{count} documents" in page.inner_text("#b17-holdings")
    assert "ne sont pas conservées" in page.inner_text("#b17-privacy")


def test_the_question_box_is_in_sight_from_the_start(page: Page) -> None:
    box = page.locator("#b17-form").bounding_box()
    size = page.viewport_size
    assert box is not None
    assert size is not None
    assert box["y"] + box["height"] <= size["height"]
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
