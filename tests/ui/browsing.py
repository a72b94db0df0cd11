"""A server, a visitor's browser, and what a visitor does: shared by the tests of the page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import servers
from playwright.sync_api import Browser, Page

from api.app import create_app
from rag.embedding import Encoder
from rag.settings import Settings

SCREENS = {"desktop": (1366, 768), "phone": (390, 844)}
ENDED = ":is(.answered, .abstained, .refused)"
SHOTS = Path(__file__).resolve().parents[2] / "artifacts" / "page"


@contextmanager
def serving(settings: Settings, encoder: Encoder, port: int = 0) -> Iterator[str]:
    """The whole application on a port of this machine; its address."""
    with servers.serving(create_app(settings, encoder), port) as address:
        yield address


@contextmanager
def visiting(browser: Browser, address: str, width: int, height: int, expected: str = "") -> Iterator[Page]:
    """A visitor's own browser. At its end: no script error, no request to another site, nothing wider than the screen.

    `expected` is a pattern of the console's errors that the test itself brings about."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, permissions=["clipboard-read", "clipboard-write"], locale="fr-FR"
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors: list[str] = []
    hosts: set[str] = set()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    page.on("request", lambda sent: hosts.add(urlsplit(sent.url).netloc))
    page.goto(address)
    page.wait_for_selector("#b17-figures strong")
    yield page
    unexpected = [e for e in errors if not (expected and re.search(expected, e))]
    assert not unexpected, unexpected
    assert hosts - {""} == {urlsplit(address).netloc}, hosts
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]
    context.close()


def ask(page: Page, question: str, nth: int = 1) -> None:
    """Ask, and wait for the whole answer, the conversation's `nth`."""
    page.fill("#b17-question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(f".b17-turn:nth-of-type({nth}){ENDED}")


def open_citation(page: Page, nth: int = 0) -> None:
    """Click a number, and wait for the picture of its page."""
    page.click(f".b17-call >> nth={nth}")
    page.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500")


def keep(page: Page, name: str) -> None:
    """A screenshot to look at, under artifacts/ (git ignores it)."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    test = os.environ["PYTEST_CURRENT_TEST"].rsplit("[", 1)
    screen = f"-{test[1].split(']')[0]}" if len(test) > 1 else ""
    page.screenshot(path=SHOTS / f"{name}{screen}.png")
