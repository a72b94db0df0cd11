"""Two runs compared question by question: what a test says of each metric, what turned right or wrong, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from evals.corpus_diff import CorpusDiff, ProgramDiff, corpus_diff, program_diff
from evals.outcome import Measured, Outcome
from evals.significance import SMALLEST, Change, changes

Turn = Literal["wrong", "worse", "better", "right", "other"]
Cause = Literal["corpus", "retrieval", "composition"]
RIGHT = 1.0 - SMALLEST


class Turned(BaseModel):
    """One question whose answer changed, with both answers. `cause`: the first stage whose result differs."""

    model_config = ConfigDict(frozen=True)

    id: str
    question: str
    history: tuple[str, ...]
    kind: str
    turn: Turn
    cause: Cause
    documents: tuple[str, ...]  # that changed, where the cause is the corpus
    why: str
    before: Outcome
    after: Outcome


class Comparison(BaseModel):
    model_config = ConfigDict(frozen=True)

    baseline: str
    new: str
    paired: int
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    rewritten: tuple[str, ...]  # same id, another reference: not comparable
    corpus: CorpusDiff
    program: ProgramDiff
    changes: tuple[Change, ...]
    turned: tuple[Turned, ...]
    unexplained: tuple[str, ...] = ()  # answers or passages that differ though neither the corpus nor the program does

    @property
    def regressions(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.verdict == "worse")

    @property
    def progress(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.verdict == "better")

    def of(self, *turns: Turn) -> tuple[Turned, ...]:
        return tuple(turned for turned in self.turned if turned.turn in turns)


def compare(before: Measured, after: Measured) -> Comparison:
    """Compare two measures of the same questions; a question counts only where its reference is the same in both."""
    old, new = before.outcomes, after.outcomes
    same = [q for q in new if q in old and old[q].fingerprint == new[q].fingerprint]
    corpus, program = corpus_diff(before.info, after.info), program_diff(before.info, after.info)
    turned = (_turned(old[q], new[q], corpus, program) for q in same)
    return Comparison(
        baseline=str(before.folder),
        new=str(after.folder),
        paired=len(same),
        only_before=tuple(q for q in old if q not in new),
        only_after=tuple(q for q in new if q not in old),
        rewritten=tuple(q for q in new if q in old and q not in set(same)),
        corpus=corpus,
        program=program,
        changes=tuple(changes([(old[q], new[q]) for q in same])),
        turned=tuple(found for found in turned if found is not None),
        unexplained=_unexplained([(old[q], new[q]) for q in same], before, corpus, program),
    )


def _unexplained(
    pairs: Iterable[tuple[Outcome, Outcome]], before: Measured, corpus: CorpusDiff, program: ProgramDiff
) -> tuple[str, ...]:
    """The assistant is deterministic: the same program on the same documents gives the same passages, and without a language
    model the same answers."""
    if corpus.touched or corpus.recut or program.in_words():
        return ()
    return tuple(a.id for a, b in pairs if a.passages != b.passages or (before.info.llm is None and _differ(a, b)))


def _differ(a: Outcome, b: Outcome) -> bool:
    return (a.issue, a.answer, a.cited) != (b.issue, b.answer, b.cited)


def _turned(before: Outcome, after: Outcome, corpus: CorpusDiff, program: ProgramDiff) -> Turned | None:
    if not _differ(before, after):
        return None
    cause, documents, why = _cause(before, after, corpus, program)
    return Turned(
        id=after.id,
        question=after.question,
        history=after.history,
        kind=after.kind,
        turn=_turn(before, after),
        cause=cause,
        documents=documents,
        why=why,
        before=before,
        after=after,
    )


def _turn(before: Outcome, after: Outcome) -> Turn:
    if (before.mark >= RIGHT) != (after.mark >= RIGHT):
        return "right" if after.mark >= RIGHT else "wrong"
    keys = [(o.mark, o.values.get("cited_page", 0.0)) for o in (before, after)]
    return "other" if keys[0] == keys[1] else "better" if keys[1] > keys[0] else "worse"


def _cause(
    before: Outcome, after: Outcome, corpus: CorpusDiff, program: ProgramDiff
) -> tuple[Cause, tuple[str, ...], str]:
    if after.issue == "failed":
        return "composition", (), "l'assistant a échoué"
    if before.passages == after.passages:
        # They may come from a document that changed elsewhere: what became of them is composition.
        return "composition", (), "mêmes passages trouvés, autre réponse composée ou vérifiée"
    moved = _documents(_swapped(before.passages, after.passages))
    concerned = corpus.touched & (moved | {d for o in (before, after) for d, _ in (*o.gold, *o.cited)})
    if concerned:
        return "corpus", tuple(sorted(concerned)), corpus.in_words(concerned)
    if recut := moved & set(corpus.recut):
        return "retrieval", (), f"mêmes pages, découpage changé : {', '.join(sorted(recut))}"
    if corpus.touched and not program.in_words():
        # Same program, no changed document among the passages: word weights moved with the corpus.
        return (
            "corpus",
            tuple(sorted(corpus.touched)),
            f"par contrecoup ({corpus.in_words(corpus.touched)})",
        )
    return "retrieval", (), f"autres passages trouvés dans les mêmes documents{_because(program)}"


def _because(program: ProgramDiff) -> str:
    words = program.in_words()
    return f" (changé : {', '.join(words)})" if words else ""


def _swapped(before: Sequence[str], after: Sequence[str]) -> set[str]:
    """Passages that came, left, or changed rank."""
    return {p for p in {*before, *after} if _rank(p, before) != _rank(p, after)}


def _rank(passage: str, passages: Sequence[str]) -> int:
    return passages.index(passage) if passage in passages else -1


def _documents(passages: Iterable[str]) -> set[str]:
    return {passage.split("#")[0] for passage in passages}
