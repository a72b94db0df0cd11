"""When things go wrong: stops, errors, a busy or restarting server, slow networks, hostile texts; and many at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browsing import ENDED, SCREENS, ask, keep, serving, visiting
from playwright.sync_api import Browser, Page, Route

from api.turnstile import Turnstile
from rag.assistant import Assistant, Event
from rag.embedding import Encoder
from rag.index import build
from rag.settings import Settings

pytestmark = pytest.mark.slow
SCRIPT = "<img src=x onerror=alert(1)><script>document.title='pris'</script>"
HOSTILE = f"""# Les alliances {SCRIPT}

## Définition {SCRIPT}

Une alliance territoriale réunit une commune, une association et une entreprise {SCRIPT} autour d'un projet commun.
Les alliances territoriales durent trois ans en moyenne, selon cette fiche d'essai.
"""


def test_stopping_keeps_the_question_and_lets_one_go_on(desktop: Page) -> None:
    desktop.route("**/v1/ask", lambda route: None)  # an answer that never comes
    desktop.fill("#b17-question", "C’est quoi l’ODD 17 ?")
    desktop.click("#b17-send")
    assert desktop.inner_text("#b17-send") == "Arrêter"
    desktop.click("#b17-send")
    desktop.wait_for_selector(".b17-note")
    assert desktop.inner_text("#b17-send") == "Demander"
    desktop.unroute("**/v1/ask")
    desktop.click("text=Reposer la question")
    desktop.wait_for_selector(f".b17-turn{ENDED}")
    assert desktop.locator(".b17-turn").count() == 1


def test_a_proxys_own_error_page_is_told_in_french(browser: Browser, address: str) -> None:
    with visiting(browser, address, *SCREENS["desktop"], expected="500") as page:
        page.route("**/v1/ask", lambda route: route.fulfill(status=500, body="<html>Internal Server Error</html>"))
        page.fill("#b17-question", "C’est quoi l’ODD 17 ?")
        page.keyboard.press("Enter")
        page.wait_for_selector(".b17-error")
        assert "réessayez dans quelques secondes" in page.inner_text(".b17-error").lower()
        page.unroute("**/v1/ask")
        page.click("text=Réessayer")
        page.wait_for_selector(f".b17-turn{ENDED}")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_and_the_visitor_is_told(browser: Browser, address: str, status: int) -> None:
    problem = json.dumps({"detail": "Trop de questions à la fois : réessayez dans quelques secondes."})
    tried: list[int] = []

    def busy_once(route: Route) -> None:
        tried.append(1)
        if len(tried) > 1:
            route.continue_()
            return
        route.fulfill(
            status=status, body=problem, content_type="application/problem+json", headers={"Retry-After": "2"}
        )

    with visiting(browser, address, *SCREENS["phone"], expected=str(status)) as page:
        page.route("**/v1/ask", busy_once)
        page.fill("#b17-question", "C’est quoi l’ODD 17 ?")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Nouvel essai dans 2")
        keep(page, f"file-{status}")
        page.wait_for_selector(f".b17-turn{ENDED}")
        assert len(tried) == 2


def test_one_who_waits_is_told_their_place(
    browser: Browser, settings: Settings, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two questions are held up in the only place and in the queue; the visitor's comes behind, then is answered."""
    gate = threading.Event()
    stream = Assistant.stream

    def held(self: Assistant, question: str, *more: object) -> Iterator[Event]:
        gate.wait(60)
        yield from stream(self, question, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Assistant, "stream", held)
    monkeypatch.setattr("api.app.Turnstile", lambda _: Turnstile(1))
    others: list[threading.Thread] = []
    with serving(settings, encoder) as address, visiting(browser, address, 1366, 768) as page:
        assert httpx.get(f"{address}/queue.json", params={"id": "rien"}).json() == {"place": None}
        for _ in range(2):
            others.append(
                threading.Thread(
                    target=httpx.post,
                    args=(f"{address}/v1/ask",),
                    kwargs={"json": {"question": "bonjour"}, "timeout": 90},
                )
            )
            others[-1].start()
        metrics = f"{address}/metrics"
        while "boussole_queue_waiting 1.0" not in httpx.get(metrics).text:
            page.wait_for_timeout(100)
        page.fill("#b17-question", "C’est quoi l’ODD 17 ?")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=la vôtre est la 2ᵉ de la file")
        keep(page, "file-d-attente")
        gate.set()
        page.wait_for_selector(f".b17-turn{ENDED}")
        for other in others:
            other.join()


def test_a_restart_of_the_server_is_told_and_the_conversation_goes_on(
    browser: Browser, settings: Settings, encoder: Encoder
) -> None:
    with serving(settings, encoder) as address:
        port = int(address.rsplit(":", 1)[1])
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        page = context.new_page()
        page.goto(address)
        page.wait_for_selector("#b17-figures strong")
        ask(page, "C’est quoi l’ODD 17 ?")
    page.fill("#b17-question", "Combien de cibles ?")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Il redémarre peut-être")
    keep(page, "redemarrage")
    with serving(settings, encoder, port):
        page.wait_for_selector(f".b17-turn:nth-of-type(2){ENDED}", timeout=30_000)
        page.reload()
        page.wait_for_selector(f".b17-turn:nth-of-type(2){ENDED}")
        context.close()


def test_a_reload_in_the_middle_of_an_answer_keeps_the_question(desktop: Page) -> None:
    desktop.route("**/v1/ask", lambda route: None)
    desktop.fill("#b17-question", "C’est quoi l’ODD 17 ?")
    desktop.keyboard.press("Enter")
    desktop.wait_for_selector(".b17-wait")
    desktop.reload()
    desktop.wait_for_selector("text=Reposer la question")
    # Only now: an answer that comes before the page goes would be kept, and what the page is loading while the
    # browser stops intercepting may never come.
    desktop.unroute("**/v1/ask")
    desktop.click("text=Reposer la question")
    desktop.wait_for_selector(f".b17-turn{ENDED}")
    assert desktop.locator(".b17-turn").count() == 1


def test_on_a_slow_network_the_page_shows_its_outline_then_works(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 90_000}
    network.send("Network.emulateNetworkConditions", slow)
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#b17-outline", state="visible")
    keep(page, "reseau-lent")
    page.wait_for_selector("#b17-figures strong", timeout=60_000)
    assert not page.is_visible("#b17-outline")
    ask(page, "C’est quoi l’ODD 17 ?")
    page.click(".b17-call >> nth=0")
    page.wait_for_selector("#b17-sheet.loading")
    assert page.inner_text("#b17-quote")  # the quote is there before the picture
    page.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500", timeout=30_000)
    context.close()


def test_nothing_jumps_while_the_answer_comes(desktop: Page) -> None:
    desktop.evaluate(
        """() => { window.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries())
             if (!entry.hadRecentInput) window.shift += entry.value; }).observe({ type: "layout-shift" }); }"""
    )
    ask(desktop, "C’est quoi l’ODD 17 ?")
    desktop.wait_for_timeout(700)  # input excuses a shift for half a second
    desktop.evaluate("document.querySelector('.b17-next .b17-chip').click()")
    desktop.wait_for_selector(f".b17-turn:nth-of-type(2){ENDED}")
    desktop.wait_for_timeout(300)
    assert desktop.evaluate("window.shift") < 0.1  # what Core Web Vitals call good


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Settings:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "fiche.md").write_text(HOSTILE, encoding="utf-8")
    chosen = Settings(index=folder / "index", data=folder / "var")
    build([folder / "fiche.md"], chosen.index, lambda: encoder, chosen.embedding_model)
    return chosen


def test_hostile_documents_and_questions_stay_text(browser: Browser, hostile: Settings, encoder: Encoder) -> None:
    with serving(hostile, encoder) as address, visiting(browser, address, *SCREENS["desktop"], expected="404") as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        ask(page, f"Combien de temps durent les alliances territoriales {SCRIPT} ?")
        page.wait_for_selector(".b17-call, .b17-nearest .b17-card")
        page.hover(".b17-call >> nth=0")
        page.click(".b17-call >> nth=0")
        page.wait_for_selector("#b17-page:not([hidden])")  # a text file has no picture
        page.click("#b17-views a >> nth=1")
        page.wait_for_selector(".b17-open")
        page.click(".b17-open")
        page.wait_for_function("document.getElementById('b17-page').textContent.length > 50")
        injected = page.evaluate(
            "document.querySelectorAll('#b17 img:not(#b17-picture), #b17 script, #b17 [onerror]').length"
        )
        assert injected == 0
        assert page.title() != "pris"


def test_ten_tabs_keep_ten_conversations(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 1366, "height": 768})
    pages = [context.new_page() for _ in range(10)]
    for at, page in enumerate(pages):
        page.goto(address, wait_until="commit")
        page.wait_for_selector("#b17-form")
        page.wait_for_function("document.documentElement.classList.contains('b17-ready')")
        page.fill("#b17-question", f"Question {at} : c’est quoi l’ODD 17 ?")
        page.keyboard.press("Enter")
    for at, page in enumerate(pages):
        page.wait_for_selector(f".b17-turn{ENDED}", timeout=60_000)
        assert page.locator(".b17-asked").all_inner_texts() == [f"Question {at}\u00a0: c’est quoi l’ODD 17\u00a0?"]
    context.close()


def test_a_long_conversation_of_long_texts_stays_in_the_page(page: Page) -> None:
    ask(page, "alliances" * 60 + " " + "Pourquoi faire alliance ? " * 20)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]  # type: ignore[index]


def test_the_page_answers_many_readers_of_its_files(address: str) -> None:
    html = httpx.get(address).text
    links = [part.split('"')[0] for part in html.split('href="page/')[1:]]
    assert len(links) >= 6
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda link=link: statuses.append(httpx.get(f"{address}/page/{link}").status_code))
        for link in links
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}


def test_only_files_of_the_page_are_served(address: str) -> None:
    for name in ("page.html", "../page.py", "%2e%2e/page.py", "css/none.css", str(Path("/etc/hostname"))):
        assert httpx.get(f"{address}/page/x/{name}").status_code == 404
