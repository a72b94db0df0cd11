"""The page in Chromium, on a desktop and a phone, before a server of the whole application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import SCREENS, serving, visiting
from chromium import chromium
from playwright.sync_api import Browser, Page

from rag.embedding import Encoder
from rag.settings import Settings


@pytest.fixture(scope="session")
def address(settings: Settings, encoder: Encoder) -> Iterator[str]:
    with serving(settings, encoder) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(params=SCREENS, ids=list(SCREENS))
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    with visiting(browser, address, *SCREENS[request.param]) as opened:
        yield opened


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[Page]:
    with visiting(browser, address, *SCREENS["desktop"]) as opened:
        yield opened
