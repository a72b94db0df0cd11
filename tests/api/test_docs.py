"""What the docs say can be pasted: their calls are made against a real server, and every address of the API is described."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import httpx
import pytest
from servers import Keyed

DOCS = Path(__file__).resolve().parents[2] / "docs"
API = (DOCS / "api.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


@pytest.mark.slow
def test_curl_examples_work_when_pasted(keyed: Keyed) -> None:
    calls = [block for block in blocks(API, "sh") if "curl" in block]
    assert len(calls) == 3
    for call in calls:
        call = re.sub(r"CLE=\$\(.*\)\n", "", call).replace("http://127.0.0.1:8017", keyed.address)
        if "Authorization" not in call:
            call = call.replace("-H", "-H 'Authorization: Bearer '$CLE -H", 1)
        done = subprocess.run(
            ["bash", "-c", call], capture_output=True, text=True, env={"CLE": keyed.secret, "PATH": "/usr/bin:/bin"}
        )
        assert '"status":"answered"' in done.stdout.replace('": "', '":"'), done.stdout[:500] + done.stderr


@pytest.mark.slow
def test_the_python_example_works_when_pasted(keyed: Keyed, capsys: pytest.CaptureFixture[str]) -> None:
    code = blocks(API, "python")[0].replace("http://127.0.0.1:8017", keyed.address).replace("sk_…", keyed.secret)
    exec(compile(code, "docs/api.md", "exec"), {})
    assert "Sources :" in capsys.readouterr().out


@pytest.mark.slow
def test_every_address_of_the_schema_is_described(keyed: Keyed) -> None:
    paths = httpx.get(f"{keyed.address}/openapi.json").json()["paths"]
    known = API.replace("{id}", "{document_id}").replace("{n}", "{number}")
    assert [path for path in paths if path not in known and path != "/v1/models/{model}"] == []


def test_every_attribute_of_the_widget_is_described() -> None:
    code = (DOCS.parent / "api" / "static" / "widget" / "chat.js").read_text(encoding="utf-8")
    widget = (DOCS / "widget.md").read_text(encoding="utf-8")
    observed = re.search(r"observedAttributes = \[(.*?)\]", code)
    assert observed is not None
    for name in re.findall(r'"(\w+)"', observed[1]):
        assert f"| `{name}` |" in widget
    css = (DOCS.parent / "api" / "static" / "widget" / "widget.css").read_text(encoding="utf-8")
    assert [v for v in set(re.findall(r"var\((--boussole-\w+(?:-\w+)?)", css)) if v not in widget] == []
