"""Candidate questions for a document, from its headings, numbers, dates and definitions, for a person to accept or rewrite.

A candidate is a reference question but for its id: its evidence is a sentence that its page holds word for word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, zip_longest

from corpus.errors import UsageError
from evals.anchors import PageBook
from evals.matching import squash
from evals.questions import Question
from rag.generation import Generation

SHORTEST, LONGEST = 25, 320  # characters of a sentence worth a question
ABOUT = "Que dit le document de « "
FACT_WORDS = 6  # of a definition, proposed as the fact to find
_ASKED = re.compile(r"^(?P<q>[^.?!]{8,120}\?)$")
_SUBJECT = r"(?P<subject>(?:L[ae] |L[’']|Les |Une? |[A-ZÀ-Ý])[\w’'()«»-]*(?: [\w’'()«»-]+){0,7}?)"
_DEFINITION = re.compile(
    rf"^{_SUBJECT} (?:est|sont|désigne|signifie|veut dire) (?P<said>(?:une?|l[ae]|les|des|ce) .+|l[’'].+)$"
)
_GLOSS = re.compile(r"^(?P<subject>[A-ZÀ-Ý][\w&’'-]*(?: [\w’'-]+){0,3}) : (?P<said>[^:]{10,})$")
_NUMBER = re.compile(
    r"^(?P<before>[^.,;:!?]{4,90}?(?:compte|comptent|compose|rassemble|réunit|regroupe|représente|a|ont|sont|est|concerne)\w*)"
    r" (?:de |plus de |près de |environ |quelque )?(?P<number>\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+(?:,\d+)?) (?P<noun>[a-zà-ÿ][\w’'-]+)\b"
)
_PERCENT = re.compile(
    r"(?P<number>\d+(?:,\d+)?)[ \u00a0\u202f]?% (?P<rest>d(?:e |es |u |’|')[^.,;:]{6,80}?)(?=[.,;:]|$)"
)
_MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
_DATE = re.compile(
    r"^(?P<before>[^.,;:!?]{4,90} (?:a|ont|est|sont|fut|s’est) [^.,;:!?]{3,60}?) (?:le|en) "
    rf"(?P<date>(?:1er |\d{{1,2}} )?(?:(?:{'|'.join(_MONTHS)}) )?(?:19|20)\d\d)\b"
)
_CLAUSE = re.compile(
    r"^(?:Avant|Après|Depuis|En|Dans|Selon|Pour|Par|Au|Aux|À|Entre|Sur|Il|Elle|Ils|Elles|On|Ce|Cette|Ces|Cet)\b"
)


def candidates(generation: Generation, document_id: str, known: Iterable[Question] = ()) -> list[Question]:
    """Candidates of one document, one kind after the other. Raises UsageError where the index doesn't hold it.

    What the references in `known` already rest on is left out."""
    if document_id not in generation.documents:
        near = ", ".join(list(generation.documents)[:6])
        raise UsageError(f"Document inconnu : « {document_id} ». Dans cet index : {near}… (boussole corpus list)")
    asked = {squash(evidence) for question in known for part in question.parts for evidence in part.evidence}
    by_kind: dict[str, list[Question]] = {}
    seen: set[str] = set()
    for found in _found(generation, document_id):
        key = squash(found.evidence[0])
        if key in seen or any(key in other or other in key for other in asked):
            continue
        seen.add(key)
        # a mere heading is a last resort: it comes after all that a sentence suggests
        by_kind.setdefault("~" if found.question.startswith(ABOUT) else found.kind, []).append(found)
    last = by_kind.pop("~", [])
    mixed = chain.from_iterable(zip_longest(*by_kind.values()))
    return [*(found for found in mixed if found is not None), *last]


def locate(text: str, book: PageBook) -> tuple[str, int] | None:
    """The page that holds a text word for word, signs and spaces aside."""
    wanted = squash(text)
    return next((spot for spot, page in book.squashed.items() if wanted and wanted in page), None)


def _found(generation: Generation, document_id: str) -> Iterator[Question]:
    for row in range(len(generation)):
        chunk = generation.chunk(row)
        if chunk.document_id != document_id or (chunk.section and squash(chunk.section[-1]) == "sources"):
            continue
        sentences = [(chunk.text[s.start : s.end], s.kind) for s in generation.sentences(row)]
        bodies = [(text, kind) for text, kind in sentences if kind == "body" and _worth(text)]
        heading = next((text for text, kind in sentences if kind == "title"), "")
        for number, (text, _) in enumerate(bodies):
            page = _page(generation, document_id, chunk.page, chunk.page_end, text)
            if page is None:
                continue
            for kind, question, facts in _questions(text, heading if number == 0 else ""):
                yield Question(
                    id="candidat",
                    question=question,
                    kind=kind,
                    document_id=document_id,
                    pages=(page,),
                    evidence=(text,),
                    facts=facts,
                    answer=text,
                )


def _questions(text: str, heading: str) -> Iterator[tuple[str, str, tuple[tuple[str, ...], ...]]]:
    """Kind, question and facts that a sentence suggests; its heading's subject, where it suggests nothing."""
    found = list(_suggested(text, heading))
    if not found and 8 <= len(heading) <= 90:
        found = [("factual", f"{ABOUT}{heading.strip()} » ?", ((_first_words(text),),))]
    yield from found


def _suggested(text: str, heading: str) -> Iterator[tuple[str, str, tuple[tuple[str, ...], ...]]]:
    plain = text.rstrip(" .!…")
    if asked := _ASKED.match(heading.strip()):
        kind = "how" if heading.lower().startswith("comment") else "factual"
        yield kind, asked["q"], ((_first_words(plain),),)
    elif (found := _DATE.match(plain)) and not _CLAUSE.match(plain):
        yield "factual", f"Quand est-ce {_that(_lowered(found['before']))} ?", ((found["date"],),)
    if found := _PERCENT.search(plain):
        yield "numeric", f"Quelle part {found['rest'].strip()} ?", ((f"{found['number']} %",),)
    elif (found := _NUMBER.match(plain)) and found["noun"] not in _MONTHS and not _CLAUSE.match(plain):
        yield (
            "numeric",
            f"Combien {_of(found['noun'])} est-ce {_that(_lowered(found['before']))} ?",
            ((f"{found['number']} {found['noun']}",),),
        )
    if (found := _DEFINITION.match(plain) or _GLOSS.match(plain)) and not _CLAUSE.match(plain):
        subject = found["subject"].strip()
        kind = "acronym" if subject.isupper() and len(subject) < 12 else "definition"
        yield kind, f"Qu’est-ce {_that(_lowered(subject))} ?", ((_first_words(found["said"]),),)


def _worth(text: str) -> bool:
    return SHORTEST <= len(text) <= LONGEST and text[-1:] in ".!…»" and not text.startswith(("http", "www"))


def _page(generation: Generation, document_id: str, first: int, last: int, text: str) -> int | None:
    wanted = squash(text)
    for number in range(first, last + 1):
        page = generation.page(document_id, number)
        if page is not None and wanted in squash(page.text):
            return number
    return None


def _first_words(text: str) -> str:
    return " ".join(text.split()[:FACT_WORDS]).rstrip(" ,;:.")


def _lowered(text: str) -> str:
    """A sentence's start inside another: articles lose their capital, names keep theirs."""
    first = re.match(r"(?:(?:Les?|La|Une?|Des?|Du)\b|L[’'])", text)
    return text[:1].lower() + text[1:] if first else text


def _of(noun: str) -> str:
    return f"d’{noun}" if noun[:1] in "aeiouyhéèêâîôàœ" else f"de {noun}"


def _that(subject: str) -> str:
    return f"qu’{subject}" if subject[:1].lower() in "aeiouyéèêâîôàœ" else f"que {subject}"
