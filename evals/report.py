"""The report (first form)."""

from __future__ import annotations

from evals.run import REPORT, Run
from evals.summary import as_text


def write_report(run: Run) -> None:
    (run.folder / REPORT).write_text(f"<!doctype html><meta charset=utf-8><pre>{as_text(run)}</pre>", encoding="utf-8")
