"""What the index's torture works on: a small index, its answers, and forks that build it or check it.

Every build and every check runs in a fork of the process, which itself opens nothing: a child may be killed anywhere.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # no threads in what is forked
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "rag"), str(Path(__file__).parent)]

import chromadb  # noqa: E402, F401 - imported once, before the forks
import llama_index.vector_stores.chroma  # noqa: E402, F401
from small_encoder import SmallEncoder, small_build  # noqa: E402

from corpus.errors import BoussoleError  # noqa: E402
from rag.assistant import Assistant  # noqa: E402
from rag.embedding import Encoder  # noqa: E402
from rag.settings import Settings  # noqa: E402

FICHES = ("agenda-2030", "glossaire", "communs", "pour-une-commune", "ratios-d-equilibre", "quatre-c")
QUESTIONS = (
    "C'est quoi l'ODD 17 ?",
    "Que sont les quatre C ?",
    "Qu'est-ce qu'un commun ?",
    "Comment une commune peut-elle faire alliance ?",
    "Quels sont les ratios d'équilibre ?",
)
TOLD, SAME, WRONG, TRACE = 0, 10, 20, 30  # exit statuses of a check


def answers(index: Path, chroma: bool = False) -> list[Any]:
    """What the index answers: statuses, sentences, citations word for word, passages. Raises what opening raises."""
    settings = Settings(index=index, exact_limit=0) if chroma else Settings(index=index)
    assistant = Assistant(settings, cast(Encoder, SmallEncoder()))
    try:
        told: list[Any] = []
        for question in QUESTIONS:
            answer = assistant.ask(question)
            found = assistant.search(question, 5)
            told.append([answer.status, answer.answer, [[c.document_id, c.page, c.quote] for c in answer.citations]])
            told.append([[p.document_id, p.page, p.text, p.score] for p in found.passages])
        return told
    finally:
        assistant.close()


def forked(work: Callable[[], int], wait: bool = True) -> int:
    """The exit status of `work` in a child (its process id where `wait` is False)."""
    pid = os.fork()
    if pid == 0:
        status = TRACE
        try:
            status = work()
        except BaseException:  # noqa: BLE001 - whatever it is, it is what a user would have seen
            traceback.print_exc()
        finally:
            os._exit(status)
    return ended(pid) if wait else pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def check(index: Path, expected: list[list[Any]], chroma: bool = False) -> int:
    """SAME where one of the `expected` answers comes, TOLD for an error that says what to type, WRONG or TRACE otherwise."""

    def work() -> int:
        try:
            found = json.loads(json.dumps(answers(index, chroma)))
        except BoussoleError as error:
            return TOLD if "boussole" in str(error) or "chmod" in str(error) else TRACE
        return SAME if found in expected else WRONG

    return forked(work)


def build(sources: Path, index: Path) -> int:
    """0 built, 1 refused with a sentence of ours, TRACE otherwise."""

    def work() -> int:
        try:
            small_build([sources], index)
        except BoussoleError:
            return 1
        return 0

    return forked(work)


def expect(index: Path, chroma: bool = False) -> list[Any]:
    """The answers, computed in a child."""
    read, write = os.pipe()

    def work() -> int:
        with os.fdopen(write, "w") as out:
            json.dump(answers(index, chroma), out)
        return 0

    pid = forked(work, wait=False)
    os.close(write)
    with os.fdopen(read) as told:
        found = json.load(told)
    ended(pid)
    return list(found)


class Bench:
    """Sources, and an index of them that answers `self.before`; `turn` changes the sources."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.sources, self.index = folder / "sources", folder / "index"
        self.chance = random.Random(seed)
        self.turns = 0
        self.sources.mkdir()
        for name in FICHES:
            shutil.copy(ROOT / "corpus" / "documents" / f"{name}.md", self.sources)
        assert build(self.sources, self.index) == 0
        answers(self.index)  # in this process, so that no child has to load dictionaries again
        self.before = expect(self.index)
        self.saved = folder / "saved"
        shutil.copytree(self.index, self.saved)

    def turn(self) -> None:
        """Change a document that the questions are about."""
        self.turns += 1
        text = f"# Les quatre C\n\nLes quatre C de l'ODD 17 sont au nombre de {self.turns + 4} au tour {self.turns}.\n"
        (self.sources / "tour.md").write_text(text * 3, encoding="utf-8")

    def restore(self) -> None:
        (self.sources / "tour.md").unlink(missing_ok=True)
        shutil.rmtree(self.index)
        shutil.copytree(self.saved, self.index)
