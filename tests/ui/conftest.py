"""The page in Chromium, on a desktop and a phone, before a server of the whole application."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from browsing import SCREENS, serving, visiting
from playwright.sync_api import Browser, Page, sync_playwright

from rag.embedding import Encoder
from rag.settings import Settings

CHROMIUM = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")


@pytest.fixture(scope="session")
def address(settings: Settings, encoder: Encoder) -> Iterator[str]:
    with serving(settings, encoder) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "Chromium manque : sudo apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=CHROMIUM)
        yield opened
        opened.close()


@pytest.fixture(params=SCREENS, ids=list(SCREENS))
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    with visiting(browser, address, *SCREENS[request.param]) as opened:
        yield opened


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[Page]:
    with visiting(browser, address, *SCREENS["desktop"]) as opened:
        yield opened
