"""The chat page in a real browser, on a desktop and a phone."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from api.app import create_app
from rag.embedding import Encoder
from rag.settings import Settings

pytestmark = pytest.mark.slow
CHROMIUM = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
SCREENS = {"desktop": (1366, 768), "phone": (390, 844)}


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
    assert "catalyseurs" in page.inner_text("#b17-quote").lower()
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
