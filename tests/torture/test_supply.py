"""What is shipped and what it stands on: no secret, known licences, pinned versions, a wheel that anyone can make again."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRETS = re.compile(
    r"\b(?:sk-[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|AKIA[0-9A-Z]{16}|xox[baprs]-[\w-]{10,}|hf_[A-Za-z0-9]{30,}|"
    r"AIza[\w-]{35}|(?:sk|pk)_[0-9a-f]{8}_[\w-]{43})|-----BEGIN [A-Z ]*PRIVATE KEY|\beyJhbGciOi[\w-]{10,}|"
    r"https?://(?!moi:)[^\s/:@\"'{}<>]+:[^\s/@\"'{}<>]{6,}@"
)
FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Zlib|Unlicense|CC0|HPND|0BSD|Public Domain", re.I
)
KNOWN = {"locate": "MIT, d'après son fichier LICENSE ; son étiquette PyPI dit autre chose"}


def script(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(name, str(ROOT / ".ci" / name))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("ce dossier n'est pas un dépôt git")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_secret_is_in_the_files() -> None:
    found = []
    for path in files():
        text = path.read_bytes().decode("utf-8", "ignore")
        found += [f"{path.relative_to(ROOT)}: {m.group()[:12]}…" for m in SECRETS.finditer(text)]
    assert found == []


def test_the_scan_sees_a_secret() -> None:
    for secret in ("ghp_" + "a" * 36, "AKIA" + "A" * 16, "-----BEGIN RSA PRIVATE " + "KEY", "sk_0123abcd_" + "x" * 43):
        assert SECRETS.search(f"clé = {secret}")


def test_every_dependency_is_listed_with_a_licence_that_lets_the_project_be_shared() -> None:
    licences = script("licences")
    listed = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    for name in sorted(licences.closure()):
        told = licences.licence(name)
        assert f"| {name} |" in listed, f"{name} is missing: make licences"
        assert FREE.search(told) or name in KNOWN, f"{name}: {told}"


def test_every_dependency_is_pinned() -> None:
    canonical = script("update").canonical
    pins = {
        canonical(line.partition("==")[0])
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    assert script("licences").closure() <= pins | {"setuptools", "pip", "boussole17"}


def test_an_update_shows_what_changes_and_keeps_the_rest() -> None:
    text, changes = script("update").renewed(
        "anyio==4.0\nTorch==2.1\nseul==1\n", {"anyio": "4.1", "torch": "2.1", "neuf": "3"}
    )
    assert text == "anyio==4.1\nneuf==3\nseul==1\nTorch==2.1\n"
    assert changes == ["anyio : 4.0 → 4.1", "neuf : nouveau, 3"]


@pytest.mark.slow
def test_the_bill_of_materials_names_every_dependency(tmp_path: Path) -> None:
    target = tmp_path / "sbom.json"
    environment = os.environ | {"PYTHON": sys.executable, "SBOM_VENV": str(tmp_path / "tools")}
    subprocess.run(
        [str(ROOT / ".ci" / "sbom"), str(target)], cwd=ROOT, env=environment, check=True, capture_output=True
    )
    told = json.loads(target.read_text(encoding="utf-8"))
    assert told["bomFormat"] == "CycloneDX"
    canonical = script("update").canonical
    assert script("licences").closure() <= {canonical(item["name"]) for item in told["components"]}


@pytest.mark.slow
def test_two_wheels_of_the_same_sources_are_the_same(tmp_path: Path) -> None:
    sums = []
    for name in ("un", "deux"):
        copy = tmp_path / name / "sources"
        for path in files():
            target = copy / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        line = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(copy.parent),
            str(copy),
        ]
        environment = os.environ | {"SOURCE_DATE_EPOCH": "1764000000"}
        subprocess.run(line, check=True, capture_output=True, env=environment, umask=0o022)
        (wheel,) = copy.parent.glob("*.whl")
        sums.append(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert sums[0] == sums[1]
