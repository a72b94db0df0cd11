"""`boussole keys` and `boussole feedback`, as typed."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.feedback import FeedbackStore
from api.forms import FeedbackRequest
from api.keys import KeyStore
from rag.settings import Settings
from ui.cli import main

ID = "0" * 32


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BOUSSOLE_DATA", str(tmp_path))
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(data: Path) -> None:
    code, secret, told = run("keys", "create", "--name", "Mairie")
    assert code == 0
    assert secret.startswith("sk_")
    assert "ne sera plus montrée" in told
    assert KeyStore(data).find(secret.strip()) is not None
    code, listed, _ = run("keys", "list")
    assert "Mairie" in listed
    assert secret.strip() not in listed
    key_id = listed.split()[0]
    assert run("keys", "revoke", key_id)[0] == 0
    assert KeyStore(data).find(secret.strip()) is None
    assert "révoquée" in run("keys", "list")[1]
    assert run("keys", "revoke", key_id)[0] == 2


def test_json_is_alone_on_stdout() -> None:
    code, out, _ = run("keys", "create", "--name", "Site", "--origin", "https://WWW.exemple.fr/", "--json")
    key = json.loads(out)
    assert code == 0
    assert key["secret"].startswith("pk_")
    assert key["origins"] == ["https://www.exemple.fr"]
    assert json.loads(run("keys", "list", "--json")[1])["id"] == key["id"]


@pytest.mark.parametrize(
    "wrong",
    [
        ["--origin", "www.exemple.fr"],
        ["--origin", "https://exemple.fr/page"],
        ["--origin", "https://*.exemple.fr"],
        ["--origin", "https://exemple..fr"],
        ["--origin", "https://exemple.fr; script-src *"],
        ["--rate", "souvent"],
        ["--rate", "0/minute"],
        ["--scope", "everything"],
        ["--origin", "https://exemple.fr", "--scope", "metrics"],
        ["--name", " "],
    ],
    ids=lambda w: " ".join(w),
)
def test_what_makes_no_sense_is_refused_in_one_line(wrong: list[str]) -> None:
    code, out, told = run("keys", "create", "--name", "x", *wrong)
    assert code == 2
    assert out == ""
    assert told.startswith("Erreur : ")


def test_opinions_come_out_and_are_erased(data: Path) -> None:
    store = FeedbackStore(Settings(data=data))
    store.record(FeedbackRequest(answer_id=ID, rating=-1, comment="=1+1 ; « mal »"))
    row = json.loads(run("feedback", "export")[1])
    assert row["comment"] == "=1+1 ; « mal »"
    table = list(csv.DictReader(io.StringIO(run("feedback", "export", "--format", "csv")[1])))
    assert table[0]["comment"].startswith("'=")  # no spreadsheet runs it
    assert table[0]["rating"] == "-1"
    assert run("feedback", "erase", ID)[0] == 0
    assert run("feedback", "export")[1] == ""
    assert run("feedback", "erase", ID)[0] == 1
