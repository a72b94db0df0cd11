"""Node programs of the tests: what tests/api/node/package.json names is installed once, where npm is present."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "node"


def node_modules() -> Path:
    """The folder of the installed packages; the test is skipped where Node isn't on this machine."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("Node et npm ne sont pas sur cette machine : les clients JavaScript ne peuvent pas y être essayés")
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]
    modules = FOLDER / "node_modules"

    def version(name: str) -> str:
        described = modules / name / "package.json"
        return str(json.loads(described.read_text())["version"]) if described.exists() else ""

    if any(version(name) != exact for name, exact in wanted.items()):
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=FOLDER, check=True, capture_output=True, timeout=240)
    return modules


def node(*arguments: str, cwd: Path = FOLDER) -> str:
    """What a Node program prints; its errors are the test's."""
    done = subprocess.run(["node", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
    return done.stdout
