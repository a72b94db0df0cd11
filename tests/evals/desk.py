"""A maintainer's desk for the tests: what `evals` and `boussole index` do, on a folder of a few fiches."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from corpus.typeset import build as typeset
from evals.anchors import PageBook
from evals.baseline import open_baseline
from evals.compare import Comparison, compare
from evals.gate import Verdict, judge
from evals.outcome import measured
from evals.questions import Question
from evals.run import Run, measure
from evals.stale import staleness
from rag.assistant import Assistant
from rag.embedding import Encoder
from rag.index import build
from rag.settings import STARTER_CORPUS, Settings


def heeds_ctrl_c() -> None:
    """For a child process: a shell that runs the tests in the background has Ctrl-C ignored by all that they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Desk:
    """A maintainer's desk: a folder of documents, its index, the references, the accepted measure."""

    def __init__(self, folder: Path, encoder: Encoder, questions: Sequence[Question]) -> None:
        self.folder, self.encoder, self.questions = folder, encoder, list(questions)
        self.documents, self.baseline = folder / "documents", folder / "baseline"
        self.settings = Settings(index=folder / "index", data=folder / "var", threads=1)
        self.found: Comparison | None = None  # of the last gate
        self.last: Run | None = None
        self.runs = 0

    def index(self, *, rebuild: bool = False) -> None:
        build(
            [self.documents], self.settings.index, lambda: self.encoder, self.settings.embedding_model, rebuild=rebuild
        )

    def measure(self, questions: Sequence[Question] | None = None) -> Run:
        self.runs += 1
        assistant = Assistant(self.settings, self.encoder)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as the commands do: see evals/options.py
        try:
            return measure(assistant, questions or self.questions, self.folder / "runs" / f"{self.runs:02d}")
        finally:
            torch.set_num_threads(threads)
            assistant.close()

    def gate(
        self, questions: Sequence[Question] | None = None, baseline: Path | None = None, *, edited: bool = False
    ) -> Verdict:
        """What `evals gate` does. `edited`: as if the program's files had been changed, so that a change of answers is
        expected and only what it does to them counts."""
        asked = list(questions or self.questions)
        run = self.measure(asked)
        if edited:
            run = run.model_copy(update={"info": run.info.model_copy(update={"code": {"rag": "edited"}})})
        accepted, now = open_baseline(baseline or self.baseline), measured(run.info, run.lines, run.folder)
        assistant = Assistant(self.settings, self.encoder)
        try:
            stale = staleness(asked, PageBook.of(assistant))
        finally:
            assistant.close()
        self.found, self.last = compare(accepted, now), run
        return judge(run, self.found, stale, accepted, now)

    def rewrite(self, document_id: str, change: Callable[[str], str]) -> None:
        """Set a fiche again from its changed source, and bring the index up to date."""
        source = self.folder / f"{document_id}.md"
        text = (STARTER_CORPUS / f"{document_id}.md").read_text(encoding="utf-8")
        changed = change(text)
        assert changed != text
        source.write_text(changed, encoding="utf-8")
        typeset(source, self.documents / f"{document_id}.pdf")
        self.index()
