"""Make the pictures of the page again, for the README: `make captures`, once an index is there (`make index`).

An address may be given, of an assistant already running: `python docs/captures/remake.py http://127.0.0.1:8017`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent
PORT = 8917
QUESTION = "C’est quoi l’ODD 17 ?"
UNKNOWN = "Qui a gagné la coupe du monde de football en 1998 ?"
DESKTOP, PHONE = (1366, 768), (390, 844)


@contextmanager
def running() -> Iterator[str]:
    """An assistant of our own, until the pictures are made."""
    command = [sys.executable, "-m", "ui.cli", "serve", "--port", str(PORT)]
    server = subprocess.Popen(command)
    address = f"http://127.0.0.1:{PORT}"
    try:
        while not _ready(address):
            if server.poll() is not None:
                raise SystemExit("L'assistant n'a pas démarré : lancez « make index », puis « make captures ».")
            time.sleep(0.5)
        yield address
    finally:
        server.terminate()
        server.wait()


def _ready(address: str) -> bool:
    try:
        return bool(urllib.request.urlopen(f"{address}/readyz", timeout=2).status == 200)
    except (urllib.error.URLError, OSError):
        return False


def take(
    browser: Browser, address: str, screen: tuple[int, int], scheme: str, name: str, steps: tuple[str, ...]
) -> None:
    """One picture, after these steps: ask, unknown, open, library."""
    context = browser.new_context(
        viewport={"width": screen[0], "height": screen[1]},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
        locale="fr-FR",
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("#b17-figures strong")
    for step in steps:
        STEPS[step](page)
    page.mouse.move(0, 0)  # nothing is pointed at
    page.wait_for_timeout(800)  # fonts, and the passage brought in sight
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()


def ask(page: Page, question: str) -> None:
    page.fill("#b17-question", question)
    page.keyboard.press("Enter")
    page.wait_for_selector(".b17-turn:is(.answered, .abstained)")


def open_citation(page: Page) -> None:
    page.click(".b17-call >> nth=1")
    page.wait_for_function("document.getElementById('b17-picture').naturalWidth > 500")


def library(page: Page) -> None:
    page.click("#b17-views a >> nth=1")
    page.wait_for_selector(".b17-open")


STEPS = {
    "ask": lambda page: ask(page, QUESTION),
    "unknown": lambda page: (ask(page, UNKNOWN), page.wait_for_selector(".b17-nearest .b17-card")),
    "open": open_citation,
    "library": library,
}
PICTURES = (
    (DESKTOP, "light", "accueil", ()),
    (DESKTOP, "light", "reponse", ("ask", "open")),
    (DESKTOP, "dark", "sombre", ("ask", "open")),
    (DESKTOP, "light", "abstention", ("unknown",)),
    (DESKTOP, "light", "bibliotheque", ("library",)),
    (PHONE, "light", "telephone", ("ask", "open")),
)


def main(given: list[str]) -> None:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise SystemExit("Il faut Chromium : sudo apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        if given:
            for picture in PICTURES:
                take(browser, given[0], *picture)
        else:
            with running() as address:
                for picture in PICTURES:
                    take(browser, address, *picture)
        browser.close()
    print(f"→ {len(PICTURES)} images refaites dans {FOLDER}")


if __name__ == "__main__":
    main(sys.argv[1:])
