"""The commands as they are typed: exit status, JSON on stdout and nothing else there, French on stderr."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FICHES = ROOT / "corpus" / "documents"
sys.path.insert(0, str(ROOT / "tests" / "corpus"))
from web import Web, serve_web  # noqa: E402 — the server of the tests of fetching

MANIFEST = """schema = 1
[[document]]
id = "note-4c"
title = "La note des 4 C"
authors = ["Le RAMEAU"]
publisher = "Le RAMEAU"
date = "2023-05"
kind = "note"
url = "{url}/doc.pdf"
url_status = "sure"
language = "fr"
terms = "Tous droits réservés"
[[document]]
id = "livre"
title = "Un livre"
authors = ["Le RAMEAU"]
publisher = "Le RAMEAU"
kind = "livre"
url_status = "none"
language = "fr"
terms = "Tous droits réservés"
"""


class Shell:
    """Runs `boussole` in a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        manifest = folder / "manifest.toml"
        manifest.write_text(MANIFEST.format(url=url), encoding="utf-8")
        self.folder = folder
        self.environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "BOUSSOLE_DATA": str(folder / "var"),
            "BOUSSOLE_INDEX": str(folder / "index"),
            "BOUSSOLE_MANIFEST": str(manifest),
            "BOUSSOLE_FETCH_LOOPBACK": "true",
        }

    def __call__(self, *words: str, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "ui.cli", *words]
        return subprocess.run(
            command,
            input=given,
            env=self.environment | more,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=240,
        )


@pytest.fixture
def web() -> Iterator[Web]:
    with serve_web() as served:
        served.pdf = (FICHES / "quatre-c.pdf").read_bytes()
        yield served


@pytest.fixture
def shell(web: Web, tmp_path: Path) -> Shell:
    return Shell(tmp_path, web.url)


def test_the_corpus_from_fetch_to_remove(shell: Shell, web: Web) -> None:
    fetched = shell("corpus", "fetch", "--json")
    assert (fetched.returncode, fetched.stderr) == (0, "")
    assert {d["id"]: d["status"] for d in json.loads(fetched.stdout)["documents"]} == {
        "note-4c": "fetched",
        "livre": "manual",
    }
    added = shell("corpus", "add", str(FICHES / "communs.pdf"))
    assert added.returncode == 0
    assert "boussole index" in added.stdout
    rows = {d["id"]: d for d in json.loads(shell("corpus", "list", "--json").stdout)["documents"]}
    assert (rows["note-4c"]["state"], rows["note-4c"]["source_url"]) == ("to_index", f"{web.url}/doc.pdf")
    assert (rows["communs"]["origin"], rows["livre"]["state"]) == ("added", "manual")
    assert "La note des 4 C" in shell("corpus", "list").stdout
    removed = shell("corpus", "remove", "communs", "--json")
    assert json.loads(removed.stdout)["status"] == "removed"
    assert shell("corpus", "remove", "communs").returncode == 2


def test_what_fails_exits_1_and_wrong_usage_exits_2(shell: Shell, web: Web) -> None:
    web.pdf = b"<html>"
    failed = shell("corpus", "fetch", "note-4c", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["documents"][0]["code"] == "wrong_type"
    assert shell("corpus", "fetch", "livre").returncode == 1  # asked for by name, and no address is known
    for words in (("fetch", "inconnu"), ("add", "absent.pdf"), ("remove", "inconnu")):
        done = shell("corpus", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("Erreur : ")
    refused = shell("corpus", "add", "https://127.0.0.1/a.pdf", BOUSSOLE_FETCH_LOOPBACK="false")
    assert refused.returncode == 1
    assert "adresse privée" in refused.stderr


def test_check_exits_1_where_something_needs_care(shell: Shell) -> None:
    assert shell("corpus", "check").returncode == 0
    shell("corpus", "fetch")
    next((shell.folder / "var" / "documents").glob("*.pdf")).unlink()
    done = shell("corpus", "check", "--json")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    assert (finding["kind"], finding["id"]) == ("missing", "note-4c")
    assert "boussole corpus fetch note-4c" in shell("corpus", "check").stdout


def test_doctor_says_what_to_type(shell: Shell) -> None:
    done = shell("doctor", "--json", BOUSSOLE_LLM_BASE_URL="http://127.0.0.1:9/v1")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    checks = {check["name"]: check for check in report["checks"]}
    assert (report["ready"], checks["Index"]["state"]) == (False, "failed")
    assert checks["Index"]["advice"].startswith("boussole index")
    assert (checks["Python"]["state"], checks["Modèle de langage"]["state"]) == ("ok", "warning")
    assert all(check["advice"] for check in report["checks"] if check["state"] != "ok")
    assert "boussole index" in shell("doctor").stdout


def test_an_index_without_a_readable_file_lists_them_in_json(shell: Shell) -> None:
    (shell.folder / "a.pdf").write_bytes(b"rien")
    done = shell("index", "--source", "a.pdf", "--json")
    assert done.returncode == 1
    assert [Path(f["path"]).name for f in json.loads(done.stdout)["failures"]] == ["a.pdf"]


@pytest.mark.slow
def test_from_files_to_a_conversation(shell: Shell) -> None:
    sources = shell.folder / "sources"
    sources.mkdir()
    shutil.copy(FICHES / "quatre-c.pdf", sources / "4c.pdf")
    (sources / "note.md").write_text("# La note\n\nLe pont de Kerlouan mesure 47 mètres.", encoding="utf-8")
    (sources / "abime.docx").write_bytes(b"PK rien")
    done = shell("index", "--source", str(sources), "--json")
    assert done.returncode == 1  # one file is refused, the others are indexed
    report = json.loads(done.stdout)
    assert (report["documents"], [f["code"] for f in report["failures"]]) == (2, ["corrupt"])
    assert "Loading weights" not in done.stderr
    asked = shell("ask", "--plain", "Combien mesure le pont de Kerlouan ?")
    assert "47 mètres" in asked.stdout
    assert "[1] La note, page 1" in asked.stdout
    assert "\x1b" not in asked.stdout
    said = shell(
        "chat", given="Combien mesure le pont de Kerlouan ?\n/sources\n/documents\n/inconnue\n/nouvelle\n/quitter\n"
    )
    assert said.returncode == 0
    assert said.stdout.count("[1] La note, p. 1") == 2
    assert "/quitter" in said.stdout
    found = json.loads(shell("search", "pont", "-k", "1", "--json").stdout)
    assert found["passages"][0]["document_id"] == "note"
    assert shell("doctor").returncode == 0
