"""The maintainers' view: closed without a secret key; index, measures, opinions and gaps with one."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from browsing import keep, serving
from playwright.sync_api import Browser

from api.feedback import FeedbackStore
from api.forms import FeedbackRequest
from api.keys import KeyStore
from corpus.library import Held
from rag.answer import Answer
from rag.embedding import Encoder
from rag.settings import Settings
from ui.sources import open_library

pytestmark = pytest.mark.slow


def write_run(folder: Path, day: str, facts: float) -> None:
    figure = {"value": facts, "low": facts - 0.1, "high": facts + 0.05, "n": 100}
    folder.mkdir(parents=True)
    run = {"created": f"2026-11-{day}T10:00:00+00:00", "questions": 100, "index_generation": "g", "model": "e5"}
    run["summary"] = {"metrics": {"facts": figure, "verdict": figure}}
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")


def test_the_workshop_opens_to_a_secret_key_only(
    browser: Browser, settings: Settings, encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = settings.model_copy(update={"data": tmp_path / "var", "log_questions": True})
    monkeypatch.setattr("ui.atelier.RUNS", tmp_path / "runs")
    write_run(tmp_path / "runs" / "a", "20", 0.6)
    write_run(tmp_path / "runs" / "b", "23", 0.7)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text("{", encoding="utf-8")
    store = FeedbackStore(own)
    for at, status in enumerate(("answered", "abstained")):
        asked = Answer(
            id=f"{at}" * 32,
            question=f"Question <b>{at}</b> ?",
            standalone_question="",
            status=status,  # type: ignore[arg-type]
            answer="",
            index_generation="g",
        )
        store.asked(asked)
    store.record(FeedbackRequest(answer_id="0" * 32, rating=-1, comment="<script>alert(1)</script>"))
    (tmp_path / "perdu.pdf").write_bytes(b"%PDF-")
    library = open_library(own)
    library.put(tmp_path / "perdu.pdf", Held("perdu", "perdu.pdf", "0" * 64, 5, "2026-11-24", "added", "Perdu"))
    (library.folder / "perdu.pdf").unlink()
    with serving(own, encoder) as address:
        assert httpx.get(f"{address}/atelier.json").status_code == 403  # even on this machine, before any key
        _, secret = KeyStore(own.data).create("Atelier")
        _, narrow = KeyStore(own.data).create("Lecture", scopes=["read"])
        _, public = KeyStore(own.data).create("Site", origins=["https://site.fr"])
        for given in ("x", "sk_00000000_" + "a" * 43, narrow, public):
            refused = httpx.get(f"{address}/atelier.json", headers={"Authorization": f"Bearer {given}"})
            assert refused.status_code in (401, 403), given
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(f"{address}/atelier")
        page.fill("input", "sk_faux")
        page.click("text=Ouvrir")
        page.wait_for_selector("text=Clé refusée")
        page.fill("input", secret)
        page.click("text=Ouvrir")
        page.wait_for_selector("figure svg")
        keep(page, "atelier")
        text = page.inner_text("#rooms")
        assert "70\u00a0%" in text
        assert page.locator("polyline.trend").count() == 2
        assert "<script>alert(1)</script>" in text
        assert "perdu.pdf" in page.inner_text("section:has-text('État du corpus') td >> nth=1")
        assert "Le fichier a disparu" in text
        assert "Question <b>1</b> ?" in page.inner_text("section:has-text('sans réponse')")
        page.check("[type=checkbox]")
        with page.expect_download() as waiting:
            page.click("text=Télécharger les avis retenus")
        line = json.loads(waiting.value.path().read_text(encoding="utf-8"))
        assert line["question"] == "Question <b>0</b> ?"
        assert line["answerable"] is True
        page.close()
