"""The report in Chromium: one file, nothing fetched, readable on a phone, and every part of it there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from playwright.sync_api import Browser, Page, sync_playwright

import rag.assistant
from evals.baseline import open_baseline
from evals.compare import compare
from evals.outcome import measured
from evals.report import write_report

pytestmark = pytest.mark.slow
SCREENS = {"desktop": (1366, 768), "phone": (390, 844)}
PLOTS = ("Mesures passées", "Part des pages de la preuve", "Part de réponses", "Part des questions")


@pytest.fixture(scope="module")
def report(accepted_desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a run whose answers were cut to their first sentence, beside the accepted one and under the gate's verdict."""
    folder = tmp_path_factory.mktemp("report") / "desk"
    shutil.copytree(accepted_desk.folder, folder)
    desk = Desk(folder, accepted_desk.encoder, accepted_desk.questions)
    desk.runs = 1
    whole = rag.assistant.compose

    def cut(*given: Any) -> Any:
        draft = whole(*given)
        return replace(draft, sentences=draft.sentences[:1])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rag.assistant, "compose", cut)
        verdict = desk.gate(edited=True)
    assert desk.last is not None
    found = compare(open_baseline(desk.baseline), measured(desk.last.info, desk.last.lines, desk.last.folder))
    return write_report(desk.last, found, verdict, desk.baseline)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "Chromium manque : sudo apt-get install chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=("--no-sandbox", "--disable-gpu"))
        yield opened
        opened.close()


@pytest.fixture(params=SCREENS, ids=list(SCREENS))
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Page]:
    width, height = SCREENS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="fr-FR")
    opened = context.new_page()
    asked: list[str] = []
    troubles: list[str] = []
    opened.on("request", lambda sent: asked.append(sent.url))
    opened.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.goto(report.as_uri())
    yield opened
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert troubles == []
    context.close()


def test_it_says_whether_to_publish_and_shows_every_part(page: Page) -> None:
    assert page.locator("html").get_attribute("lang") == "fr"
    assert "Ne publiez pas" in page.locator(".verdict").inner_text()
    cards = page.locator(".card")
    assert cards.count() >= 6
    for card in cards.all():
        assert card.locator(".interval").inner_text().count("–") == 1
    shown = [svg.get_attribute("aria-label") or "" for svg in page.locator("svg").all()]
    for start in PLOTS:
        assert any(label.startswith(start) for label in shown), start
    assert all(svg.locator("polyline").count() >= 1 for svg in page.locator("svg").all())
    page.locator("#detail summary", has_text="Par document").click()
    tables = page.locator("#detail table")
    assert "définition" in tables.nth(0).inner_text()
    assert "Glossaire" in tables.nth(1).inner_text()
    turned = page.locator("#comparaison .turned").first
    turned.locator("summary").click()
    assert turned.locator(".answer").count() == 2


def test_nothing_is_wider_than_the_screen(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((closed) => { closed.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    small = page.evaluate(
        "[...document.querySelectorAll('p, li, td, th, h3, summary, a.cite')].filter((e) => e.offsetParent"
        " && parseFloat(getComputedStyle(e).fontSize) < 13).length"
    )
    assert small == 0


def test_failures_are_filtered_by_problem_kind_and_words(page: Page) -> None:
    shown = page.locator(".trouble:visible")
    every = shown.count()
    assert every > 3
    page.select_option("select[name=problem]", "fait manquant")
    some = shown.count()
    assert 0 < some < every
    assert all("fait manquant" in found.inner_text() for found in shown.all())
    assert page.locator(".filters output").inner_text().startswith(f"{some} sur {every}")
    page.select_option("select[name=problem]", "")
    kind = page.locator(".trouble").first.get_attribute("data-kind") or ""
    page.select_option("select[name=kind]", kind)
    assert all(found.get_attribute("data-kind") == kind for found in shown.all())
    page.select_option("select[name=kind]", "")
    page.fill("input[name=words]", "zzzz")
    assert shown.count() == 0
    page.fill("input[name=words]", page.locator(".trouble h3").first.inner_text().upper())
    assert shown.count() >= 1


def test_a_citation_opens_its_page_with_its_words_marked(page: Page) -> None:
    cited = page.locator(".trouble .cite", has_text="[1]").first
    quote = cited.get_attribute("data-quote") or ""
    cited.click()
    dialog = page.locator("dialog[open]")
    assert dialog.locator("mark").inner_text().split() == quote.split()
    assert len(dialog.locator(".text").inner_text()) > len(quote)
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
