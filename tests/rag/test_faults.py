"""A share of `make torture` for the index, from a fixed seed: the same scripts, fewer faults."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TORTURE = Path(__file__).resolve().parents[1] / "torture" / "index.py"


@pytest.mark.slow
def test_a_share_of_the_index_torture_breaks_no_promise() -> None:
    faults = "--kills 6 --flips 2 --every 20 --disks 2 --turns 1"
    line = [sys.executable, str(TORTURE), *faults.split()]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout)
    assert told["tried"] > 50
    assert told["kinds"]["kill at a step"] == 3
