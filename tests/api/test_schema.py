"""The schema keeps its word: requests made from it get what it says, and programs made from it compile and run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from javascript import FOLDER, node, node_modules
from servers import Keyed

pytestmark = pytest.mark.slow


def test_operations_have_stable_names_and_french_descriptions(keyed: Keyed) -> None:
    schema = httpx.get(f"{keyed.address}/openapi.json").json()
    operations = {o["operationId"]: o for path in schema["paths"].values() for o in path.values()}
    assert set(operations) == {
        "ask", "ask_cached", "search", "list_documents", "get_document", "get_file", "get_page_picture", "get_highlight",
        "get_page", "create_chat_completion", "list_models", "get_model", "send_feedback", "about", "healthz", "readyz",
        "metrics",
    }  # fmt: skip
    assert all(operation["summary"] for operation in operations.values())


def test_examples_of_the_schema_are_answered(keyed: Keyed) -> None:
    schema = httpx.get(f"{keyed.address}/openapi.json").json()
    headers = {"Authorization": f"Bearer {keyed.secret}"}
    for path, operations in schema["paths"].items():
        body = operations.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json")
        if body:
            form = schema["components"]["schemas"][body["schema"]["$ref"].rpartition("/")[2]]
            for example in form["examples"]:
                assert httpx.post(keyed.address + path, json=example, headers=headers, timeout=60).status_code == 200


def test_a_typed_client_compiles_and_runs(keyed: Keyed, tmp_path: Path) -> None:
    modules = node_modules()
    (tmp_path / "schema.json").write_text(httpx.get(f"{keyed.address}/openapi.json").text)
    (tmp_path / "typed.ts").write_text((FOLDER / "typed.ts").read_text())
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "node_modules").symlink_to(modules)
    node(
        str(modules / "openapi-typescript/bin/cli.js"),
        "schema.json",
        "-o",
        "schema.ts",
        "--default-non-nullable=false",
        cwd=tmp_path,
    )
    options = [
        "--strict",
        "--target",
        "es2022",
        "--module",
        "nodenext",
        "--skipLibCheck",
        "--lib",
        "es2022,dom",
    ]
    node(str(modules / "typescript/bin/tsc"), *options, "typed.ts", cwd=tmp_path)
    told = json.loads(node("typed.js", keyed.address, keyed.secret, cwd=tmp_path))
    assert told["status"] == "answered"
    assert told["first"]
    assert told["passages"] == 3
    assert told["text"] > 0
    assert told["content"]
    assert told["model"] == "boussole-17"
    assert told["kept"] == 365
    assert told["missing"] == "unknown_document"


def test_schemathesis_finds_no_surprise(keyed: Keyed, tmp_path: Path) -> None:
    """All checks over requests made from the schema, well-formed and not, for some seconds."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{keyed.address}/openapi.json", "-H", f"Authorization: Bearer {keyed.secret}", "--checks", "all",
        "--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--seed", "17", "--no-color", "--request-timeout", "30",
        "--generation-database", "none",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
