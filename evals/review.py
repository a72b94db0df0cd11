"""Candidates read by a person in the terminal: kept, rewritten or dropped; what is kept is written at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click

from evals.anchors import PageBook, anchor
from evals.draft import locate
from evals.kinds import kind_label
from evals.questions import QUESTIONS, Question, load_questions
from rag.answer import Answer

REVIEWED = QUESTIONS / "reviewed.jsonl"
Facts = tuple[tuple[str, ...], ...]


class Reviewed:
    """The file of reviewed references; ids go on from what is there."""

    def __init__(self, path: Path = REVIEWED, taken: Iterable[str] = ()) -> None:
        self.path = path
        self.known = load_questions([path], "measuring") if path.exists() and path.stat().st_size else []
        self._taken = {*taken, *(question.id for question in self.known)}
        self.added = 0

    def add(self, question: Question) -> Question:
        """Write a reference, with an id of its own."""
        number = len(self.known) + self.added + 1
        while f"r{number:03d}" in self._taken:
            number += 1
        kept = question.model_copy(update={"id": f"r{number:03d}"})
        self._taken.add(kept.id)
        self.added += 1
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(as_line(kept) + "\n")
        return kept


def as_line(question: Question) -> str:
    """The contract's JSON of a reference, without empty fields."""
    fields = question.model_dump(mode="json", exclude={"source"}, exclude_defaults=True)
    fields = {
        "id": question.id,
        "question": question.question,
        "kind": question.kind,
        "answerable": question.answerable,
    } | fields
    return json.dumps({k: v for k, v in fields.items() if v not in ([], None)}, ensure_ascii=False)


def review(found: Sequence[Question], reviewed: Reviewed, book: PageBook, wanted: int) -> None:
    """Show candidates until `wanted` are kept, none is left, or the person stops."""
    for number, candidate in enumerate(found, 1):
        click.echo(f"\n{number}/{len(found)} · {kind_label(candidate.kind)}")
        _show(candidate)
        choice = _choice("Garder ? [o]ui, [m]odifier, [n]on, [q]uitter", "omnq", "n")
        if choice == "q":
            return
        if choice == "n":
            continue
        kept = _rewritten(candidate, book) if choice == "m" else candidate
        kept = reviewed.add(kept)
        click.echo(f"  gardée : {kept.id}")
        if reviewed.added >= wanted:
            return


def review_feedback(
    rows: Sequence[dict[str, object]], ask: Callable[[str], Answer], reviewed: Reviewed, book: PageBook
) -> None:
    """Questions that people asked: with the answer of today, the person says what is right."""
    for number, row in enumerate(rows, 1):
        question = str(row["question"]).strip()
        answer = ask(question)
        click.echo(f"\n{number}/{len(rows)}  avis : {_rating(row.get('rating'))}  {row.get('comment') or ''}")
        click.echo(f"  question : {question}\n  réponse d'aujourd'hui ({answer.status}) : {answer.answer}")
        for c in answer.citations:
            click.echo(f"    [{c.n}] {c.document_id} p. {c.page} : « {_one_line(c.quote)} »")
        choice = _choice(
            "La preuve est : [c]itations ci-dessus, [e]xtrait à coller, [s]ans réponse dans le corpus ; [n]on, [q]uitter",
            "cesnq",
            "n",
        )
        if choice == "q":
            return
        if choice == "n":
            continue
        question = click.prompt("  question (sans donnée personnelle)", default=question)
        kept = _from_answer(choice, question, answer, book)
        if kept is not None:
            kept = reviewed.add(kept)
            click.echo(f"  gardée : {kept.id}")


def _from_answer(choice: str, question: str, answer: Answer, book: PageBook) -> Question | None:
    if choice == "s":
        return Question(id="candidat", question=question, kind="unanswerable", answerable=False)
    if choice == "e":
        spots = [spot] if (spot := _pasted(book)) else []
    else:
        given = click.prompt("  numéros des citations justes", default="1")
        numbers = {int(n) for n in given.replace(",", " ").split() if n.isdigit()}
        spots = [(c.quote, c.document_id, c.page) for c in answer.citations if c.n in numbers]
    if not spots:
        click.echo("  aucune preuve : laissée de côté.")
        return None
    document = spots[0][1]
    here = [spot for spot in spots if spot[1] == document]
    if len(here) < len(spots):
        click.echo(f"  seules les preuves de « {document} » sont gardées.")
    return Question(
        id="candidat",
        question=question,
        kind="factual",
        document_id=document,
        pages=tuple(sorted({page for _, _, page in here})),
        evidence=tuple(text for text, _, _ in here),
        facts=_facts(()),
        answer=click.prompt("  réponse attendue, en une phrase", default=here[0][0]),
    )


def _pasted(book: PageBook) -> tuple[str, str, int] | None:
    text = click.prompt("  extrait, mot pour mot")
    spot = locate(text, book)
    if spot is None:
        click.echo("  aucune page ne porte cet extrait.")
        return None
    click.echo(f"  trouvé : {spot[0]} p. {spot[1]}")
    return text, *spot


def _rewritten(candidate: Question, book: PageBook) -> Question:
    question = click.prompt("  question", default=candidate.question)
    facts = _facts(candidate.facts)
    evidence = candidate.evidence
    while True:
        text = click.prompt("  preuve, mot pour mot", default=_one_line(evidence[0]))
        changed = candidate.model_copy(update={"evidence": (text,), "facts": facts, "question": question})
        found = anchor(changed, book)[0]
        if found.state in ("here", "moved") and found.spots:
            document, page = found.spots[0]
            return changed.model_copy(update={"document_id": document, "pages": (page,)})
        click.echo("  aucune page ne porte cette preuve ; reprenez-la telle que la page l'écrit.")


def _facts(facts: Facts) -> Facts:
    """Facts as a person types them: « ; » between facts, « | » between ways to say one."""
    shown = " ; ".join(" | ".join(variants) for variants in facts)
    given = click.prompt("  faits attendus (« ; » entre deux faits, « | » entre deux façons de dire)", default=shown)
    split = (tuple(v.strip() for v in fact.split("|") if v.strip()) for fact in given.split(";"))
    return tuple(variants for variants in split if variants)


def _show(candidate: Question) -> None:
    click.echo(f"  question : {candidate.question}")
    for fact in candidate.facts:
        click.echo(f"  fait attendu : {' | '.join(fact)}")
    click.echo(f"  preuve ({candidate.document_id} p. {candidate.pages[0]}) : « {_one_line(candidate.evidence[0])} »")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _choice(words: str, letters: str, default: str) -> str:
    while True:
        given = str(click.prompt(words, default=default)).strip().lower()[:1]
        if given in letters:
            return given
        click.echo(f"  répondez par une lettre parmi : {', '.join(letters)}")


def _rating(rating: object) -> str:
    return {1: "utile", -1: "pas utile"}.get(rating if isinstance(rating, int) else 0, "sans avis")
