"""Reference answers that the corpus of today no longer bears out, and those that followed their text to another page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from evals.anchors import Anchor, PageBook, Spot, anchor, gold
from evals.matching import holds_fact, squash
from evals.questions import Question


class Broken(BaseModel):
    """A reference to review: evidence changed or gone, or an expected fact that its pages don't say."""

    model_config = ConfigDict(frozen=True)

    id: str
    question: str
    reason: str  # in French, for people
    state: str  # "changed", "gone", "fact_absent"
    evidence: str
    document_id: str | None
    pages: tuple[int, ...]
    now: str | None = None


class Moved(BaseModel):
    """A reference whose text is still there, on other pages: followed without anybody's help."""

    model_config = ConfigDict(frozen=True)

    id: str
    evidence: str
    declared: tuple[Spot, ...]
    spots: tuple[Spot, ...]

    def in_words(self) -> str:
        return f"{self.id} : {_places(self.declared)} → {_places(self.spots)}"


class Staleness(BaseModel):
    model_config = ConfigDict(frozen=True)

    references: int
    stale: tuple[Broken, ...]
    moved: tuple[Moved, ...]
    uncovered: tuple[str, ...]  # documents that no reference rests on

    def in_words(self) -> str:
        """One line, for people."""
        if self.stale:
            ids = list(dict.fromkeys(b.id for b in self.stale))
            return f"{len(ids)} référence(s) à revoir sur {self.references} : {', '.join(ids[:12])}."
        return f"Les {self.references} références tiennent toujours dans le corpus."


def staleness(questions: Sequence[Question], book: PageBook) -> Staleness:
    """Where every reference stands in the pages of an index. No model is needed."""
    anchored = [(question, anchor(question, book)) for question in questions]
    covered = {spot[0] for question, anchors in anchored for spot in gold(question, anchors, book)}
    return Staleness(
        references=len(questions),
        stale=tuple(broken for question, anchors in anchored for broken in _broken(question, anchors, book)),
        moved=tuple(moved for question, anchors in anchored for moved in _moved(question, anchors)),
        uncovered=tuple(d for d in book.by_document if d not in covered),
    )


def _broken(question: Question, anchors: Iterable[Anchor], book: PageBook) -> Iterable[Broken]:
    anchors = tuple(anchors)
    bad = [a for a in anchors if a.state in ("changed", "gone")]
    for found in bad:
        declared = found.declared or tuple((question.document_id or "", n) for n in question.pages)
        changed = found.state == "changed"
        yield Broken(
            id=question.id,
            question=question.question,
            reason=f"{_places(declared)} ne dit plus cela"
            if changed
            else f"preuve introuvable ({_places(declared)} et ailleurs)",
            state=found.state,
            evidence=found.evidence,
            document_id=declared[0][0] if declared else None,
            pages=tuple(n for _, n in declared),
            now=found.now,
        )
    if question.answerable and not bad:
        text = " ".join(book.texts.get(spot, "") for spot in sorted(gold(question, anchors, book)))
        for variants in question.facts:
            if text and not _says(text, variants):
                yield Broken(
                    id=question.id,
                    question=question.question,
                    reason="le fait attendu n'est pas sur les pages de la preuve",
                    state="fact_absent",
                    evidence=" | ".join(variants),
                    document_id=question.document_id,
                    pages=question.pages,
                )


def _says(text: str, variants: Sequence[str]) -> bool:
    squashed = squash(text)
    return holds_fact(text, variants) or any(squash(v) and squash(v) in squashed for v in variants)


def _moved(question: Question, anchors: Iterable[Anchor]) -> Iterable[Moved]:
    for found in anchors:
        if found.state == "moved":
            yield Moved(id=question.id, evidence=found.evidence, declared=found.declared, spots=found.spots)


def rewrite(path: Path, moved: Sequence[Moved]) -> int:
    """Write the new document and pages of moved references into their file; how many lines changed. A reference whose
    pieces now stand in several documents is left for a person."""
    by_id: dict[str, list[Moved]] = {}
    for found in moved:
        by_id.setdefault(found.id, []).append(found)
    lines, count = [], 0
    for line in path.read_text(encoding="utf-8").splitlines():
        item = json.loads(line) if line.strip() else {}
        if pieces := by_id.get(str(item.get("id"))):
            count += _re_anchored(item, pieces)
            line = json.dumps(item, ensure_ascii=False)
        lines.append(line)
    if count:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return count


def _re_anchored(item: dict[str, object], found: Sequence[Moved]) -> bool:
    spots = [spot for moved in found for spot in moved.spots[:1]]
    if item.get("also") or len({document for document, _ in spots}) != 1:
        return False
    evidence = item.get("evidence")
    whole = isinstance(evidence, list) and len(evidence) == len(found)
    kept = [] if whole or not isinstance(item.get("pages"), list) else item["pages"]
    document = spots[0][0]
    if not whole and item.get("document_id") != document:
        return False
    item["document_id"] = document
    item["pages"] = sorted({*(kept if isinstance(kept, list) else []), *(page for _, page in spots)})
    return True


def _places(spots: Sequence[Spot]) -> str:
    shown = [f"{document} p. {page}" for document, page in spots[:3]]
    return ", ".join(shown) + ("…" if len(spots) > 3 else "") if shown else "le corpus"
