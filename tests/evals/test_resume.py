"""Ctrl-C in the middle of a run, then --resume: the same run as one that nobody interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from desk import Desk, heeds_ctrl_c

from evals.review import as_line
from evals.run import ANSWERS, INFO, open_run

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
OF_ITS_TIME = ("timings_ms", "id")  # an answer's own id and how long it took


def evals(*words: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "evals.cli", *words], cwd=ROOT, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heeds_ctrl_c,
    )  # fmt: skip


def lasting(folder: Path) -> list[dict[str, Any]]:
    """The lines of a run without what no two runs share."""
    lines = []
    for text in (folder / ANSWERS).read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        for name in OF_ITS_TIME:
            line["answer"].pop(name)
        line["values"] = {name: value for name, value in line["values"].items() if not name.endswith("_ms")}
        lines.append(line)
    return sorted(lines, key=lambda line: line["id"])


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(accepted_desk: Desk, tmp_path: Path) -> None:
    asked = tmp_path / "questions.jsonl"
    asked.write_text("".join(as_line(q) + "\n" for q in accepted_desk.questions), encoding="utf-8")
    given = ["--index", str(accepted_desk.settings.index), "--set", str(asked), "--out", str(tmp_path / "run")]
    process = evals("run", *given)
    answers = tmp_path / "run" / ANSWERS
    while not answers.exists() or answers.read_text(encoding="utf-8").count("\n") < 5:
        assert process.poll() is None, "it ended before it could be interrupted"
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert "--resume" in said
    assert "Traceback" not in said
    done = answers.read_text(encoding="utf-8").count("\n")
    assert 5 <= done < len(accepted_desk.questions)
    assert json.loads((tmp_path / "run" / INFO).read_text(encoding="utf-8"))["complete"] is False
    with answers.open("a", encoding="utf-8") as file:
        file.write('{"id": "q0')  # as a kill in the middle of a line leaves it

    refused = evals("run", *given)
    assert "--resume" in refused.communicate(timeout=120)[1]
    assert refused.returncode == 2

    again = evals("run", *given, "--resume", "--json")
    out, said = again.communicate(timeout=240)
    assert again.returncode == 0, said
    assert json.loads(out)["questions"] == len(accepted_desk.questions)
    whole = accepted_desk.folder / "runs" / "01"
    assert lasting(tmp_path / "run") == lasting(whole)
    ended, before = open_run(tmp_path / "run").info.summary, open_run(whole).info.summary
    assert ended is not None
    assert before is not None
    measured = {name: figure for name, figure in ended.metrics.items() if not name.endswith("_ms")}
    assert measured == {name: figure for name, figure in before.metrics.items() if not name.endswith("_ms")}
