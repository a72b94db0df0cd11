"""The container files, read by their own checkers: there is no docker on the machines where this runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rag.settings import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
NAMES = {PREFIX + name.upper() for name in Settings.model_fields}


def program(name: str) -> str:
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin")
    if not found:
        pytest.skip(f"{name} n'est pas installé : pip install -e '.[dev]'")
    return found


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run([program("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_compose_follows_its_schema() -> None:
    command = [program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_is_made_by_the_makefile_and_runs_without_root() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"RUN make (\w+)", DOCKERFILE)) <= targets
    assert "RUN make index" in DOCKERFILE
    assert "pip install" not in DOCKERFILE  # the Makefile's step, and no other
    last = DOCKERFILE.rsplit("FROM", 1)[1]
    assert "USER 10017" in last
    assert "HEALTHCHECK" in last


def test_settings_that_they_name_exist() -> None:
    named = set(re.findall(r"BOUSSOLE_[A-Z_]+", DOCKERFILE + (ROOT / "compose.yaml").read_text()))
    assert named <= NAMES


def test_services_are_confined() -> None:
    for service in COMPOSE["services"].values():
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert COMPOSE["services"]["boussole"]["read_only"] is True
    assert COMPOSE["services"]["boussole"]["ports"] == ["127.0.0.1:8017:8017"]
    assert "boussole" not in str(COMPOSE["services"]["chroma"]["volumes"])  # one process owns a Chroma folder


def test_what_may_not_be_in_the_image_is_left_out() -> None:
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", ".venv", "var"} <= set(left_out)
