"""What a French sentence lets one ask: patterns from its form to a question and to the words that answer it.

Each pattern only fires where the question comes out grammatical whatever the gender and number of the subject, which no
dictionary tells us here: « Combien de régions compte la France ? », « Par qui est délivré le label ? », « Pouvez-vous citer
les cinq axes ? ». Fewer questions, and ones that a person keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

FACT_WORDS = 6  # of what a sentence says, proposed as the fact to find
Facts = tuple[tuple[str, ...], ...]

_ARTICLE = r"(?:L[ae] |L[’']|Les |Une? )"
_WORDS = r"[\w’'()«»&/-]+(?: [\w’'()«»&/-]+){0,8}?"
_FEW = r"[\w’'()«»&/-]+(?: [\w’'()«»&/-]+){0,4}?"
_NAME = r"[A-ZÀ-Ý][\w&-]*[A-ZÀ-Ý][\w&-]*"  # MonServiceSécurisé, SNBC, M.E.D.O.C. apart
_SUBJECT = rf"(?P<subject>{_ARTICLE}{_WORDS}|{_NAME})"
_ONE = r"(?P<number>\d{1,3}(?:[ \u00a0\u202f]\d{3})+|\d+(?:,\d+)?)"
_ABOUT = r"(?:(?:près|plus|moins) (?:de |d[’'])|environ |quelque )?"
_COUNTING = (
    r"compte(?:nt)?|rassemble(?:nt)?|réuni(?:t|ssent)|regroupe(?:nt)?|représente(?:nt)?|compren(?:d|nent)|comporte(?:nt)?"
    r"|contien(?:t|nent)|mobilise(?:nt)?|accueille(?:nt)?|emploie(?:nt)?|propose(?:nt)?|totalise(?:nt)?|couvre(?:nt)?"
)
_MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
_AIMS = {
    "objectif": "Quel est l’objectif",
    "but": "Quel est le but",
    "mission": "Quelle est la mission",
    "rôle": "Quel est le rôle",
    "ambition": "Quelle est l’ambition",
    "vocation": "Quelle est la vocation",
}
# Subjects that stand for something said before, or labels: a question about them says nothing alone.
_LEANING = re.compile(
    r"^(?:l[ae’']s? ?)?(?:premi|second|deuxi|troisi|derni|suivant|précédent|même|autre|un |une de|plupart|présent|tout|"
    r"section|article|titre|chapitre|annexe|alinéa|nb\b|nota|ps\b|remarque|exemple|note|attention|source|figure|tableau|"
    r"total|date|page|objet|code|résultat|critère|certain|chaque|mode de|unité|type)",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\b(?:ne|dont|qui|que|qu|où|lequel|laquelle|ainsi|si|est|sont|a|ont)\b", re.IGNORECASE)
_WEAK_END = re.compile(
    r"(?:[ ,;:(«]+(?:d[eu’'](?:s)?|l[ae’'](?:s)?|un|une|et|ou|à|au|aux|en|par|pour|sur|dans|avec|ne|qui|que|qu[’']?|ce|"
    r"cette|ces|son|sa|ses|leur|leurs|est|sont|plus|sans|entre|vers|chez|comme|dont|se|y))+$"
)
_OPENING = re.compile(
    r"^(?:C[’']est|Ce sont|Il s[’']agit d(?:e |[’'])|(?:Ensuite|Enfin|D[’']abord|Ainsi|Maintenant|Et|Mais|Or),?) *"
)
_ENDS = " ,;:.!?…"


@dataclass(frozen=True)
class Asked:
    """A question that a sentence answers."""

    kind: str
    question: str
    facts: Facts


def ask(sentence: str) -> Iterator[Asked]:
    """The questions that a sentence suggests, best first; none for most sentences."""
    text = " ".join(sentence.split()).rstrip(" .!…")
    for pattern, build in _PATTERNS:
        found = pattern.match(text)
        if found is not None and _stands_alone(found.groupdict().get("subject") or "Le"):
            made = build(found)
            if made is not None:
                yield made


def first_words(text: str) -> str:
    """The start of what is said, cut where it reads well."""
    text = _OPENING.sub("", text)
    clause = re.split(r"[,;:(]| (?:afin|ainsi|lorsque|dès|parce) ", text)[0]
    words = (clause if len(clause.split()) > 1 else text).split()[:FACT_WORDS]
    return (_WEAK_END.sub("", " ".join(words)) or " ".join(words)).rstrip(_ENDS)


def _stands_alone(subject: str) -> bool:
    return not _LEANING.match(subject) and not _RELATIVE.search(re.sub(rf"^{_ARTICLE}", "", subject))


# --- from a match to a question


def _counted(found: re.Match[str]) -> Asked | None:
    if re.fullmatch(r"(?:19|20)\d\d", found["number"]) or found["number"] in ("0", "1"):
        return None
    question = f"Combien {_of(found['noun'])} {found['verb']} {_inside(found['subject'])} ?"
    return Asked("numeric", question, ((f"{found['number']} {found['noun']}",),))


def _valued(found: re.Match[str]) -> Asked:
    plural = found["subject"].startswith("Les ")
    question = f"À combien s’élève{'nt' if plural else ''} {_inside(found['subject'])} ?"
    return Asked("numeric", question, ((f"{found['number']} {found['unit']}",),))


def _part_of(found: re.Match[str]) -> Asked:
    question = f"Quelle part {_trimmed(found['whole'])} {found['verb']} {_inside(found['subject'])} ?"
    return Asked("numeric", question, ((f"{found['number']} %",),))


def _part_that(found: re.Match[str]) -> Asked:
    return Asked("numeric", f"Quelle part {found['rest']} ?", ((f"{found['number']} %",),))


def _dated(found: re.Match[str]) -> Asked:
    return Asked("factual", f"Quand est-ce {_that(_inside(found['before']))} ?", ((found["date"],),))


def _defined(found: re.Match[str]) -> Asked | None:
    subject, said = _inside(found["subject"]), found["said"]
    if re.match(r"l[ae]s? mêmes?\b", said):
        return None
    kind = "acronym" if found["subject"].isupper() else "definition"
    question = f"Que sont {subject} ?" if subject.startswith("les ") else f"Qu’est-ce {_that(subject)} ?"
    return Asked(kind, question, ((first_words(said),),))


def _meant(found: re.Match[str]) -> Asked:
    return Asked("definition", f"Que {found['verb']} {_inside(found['subject'])} ?", ((first_words(found["said"]),),))


def _glossed(found: re.Match[str]) -> Asked | None:
    if _LEANING.match(found["term"]):
        return None
    kind = "acronym" if found["term"].isupper() else "definition"
    return Asked(kind, f"Que veut dire « {found['term']} » ?", ((first_words(found["said"]),),))


def _aimed(found: re.Match[str]) -> Asked:
    question = f"{_AIMS[found['aim']]} {_of_the(found['subject'])} ?"
    return Asked("factual", question, ((first_words(found["said"]),),))


def _aim_is(found: re.Match[str]) -> Asked:
    which = "Quelle" if re.match(r"L[’']ambition|La ", found["aim"]) else "Quel"
    return Asked("factual", f"{which} est {_inside(found['aim'])} ?", ((first_words(found["said"]),),))


def _useful(found: re.Match[str]) -> Asked:
    plural = "vent" if found["subject"].startswith("Les ") else "t"
    return Asked("factual", f"À quoi ser{plural} {_inside(found['subject'])} ?", ((first_words(found["said"]),),))


def _by_whom(found: re.Match[str]) -> Asked:
    question = f"Par qui {found['verb']} {found['done']} {_inside(found['subject'])} ?"
    return Asked("factual", question, ((first_words(found["who"]),),))


def _to_whom(found: re.Match[str]) -> Asked:
    question = f"À qui {found['verb']} {found['done']} {_inside(found['subject'])} ?"
    return Asked("factual", question, ((first_words(found["who"]),),))


def _must(found: re.Match[str]) -> Asked:
    question = f"Que {found['verb']} faire {_inside(found['subject'])} ?"
    return Asked("factual", question, ((first_words(found["said"]),),))


def _how(found: re.Match[str]) -> Asked:
    return Asked("how", f"Comment {found['goal']} ?", ((first_words(found["said"]),),))


def _listed(found: re.Match[str]) -> Asked | None:
    items = [part.strip(_ENDS) for part in re.split(r", | ; | et (?=[^,;]+$)", found["items"])]
    items = [first_words(item) for item in items if 2 < len(item) < 60]
    if len(items) < 3:
        return None
    return Asked("list", f"Pouvez-vous citer {_inside(found['subject'])} ?", tuple((item,) for item in items[:8]))


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Asked | None]], ...] = tuple(
    (re.compile(pattern), build)
    for pattern, build in (
        (rf"^(?P<subject>Les {_FEW})(?: sont)? ?: (?P<items>[^:]+(?:, | ; )[^:]+)$", _listed),
        (rf"^(?P<subject>Les {_WORDS}) sont (?P<items>l(?:es |a |e |[’'])[^:.]+, [^:.]+ et [^:.]+)$", _listed),
        (rf"^{_SUBJECT} (?P<verb>{_COUNTING}) {_ABOUT}{_ONE} (?P<noun>[a-zà-ÿ][\w’'-]{{2,}}[sx])\b", _counted),
        (
            rf"^{_SUBJECT} (?:est (?:(?:fixée?|limitée?) à|de)|sont (?:(?:fixé|limité)e?s à|de)|s[’']élève(?:nt)? à) "
            rf"{_ABOUT}{_ONE}[ \u00a0\u202f]?(?P<unit>[%€]|[a-zà-ÿ][\w’'-]+)",
            _valued,
        ),
        (
            rf"^{_SUBJECT} (?P<verb>représente(?:nt)?) {_ABOUT}{_ONE}[ \u00a0\u202f]?% (?P<whole>(?:d(?:e(?:s| la)? |u |[’']))[^.,;:]{{4,70}})",
            _part_of,
        ),
        (
            rf"^(?:Environ |Près de |Plus de )?{_ONE}[ \u00a0\u202f]?% (?P<rest>des [^.;:]{{4,}} \w+(?:ent|ont) [^.;:]{{4,}})$",
            _part_that,
        ),
        (
            rf"^(?P<before>(?P<subject>{_ARTICLE}{_WORDS}|{_NAME}) (?:(?:a|ont|sont|est) [^.,;:!?]{{3,60}}?)) (?:le|en) "
            rf"(?P<date>(?:1er |\d{{1,2}} )?(?:(?:{_MONTHS}) )?(?:19|20)\d\d)\b",
            _dated,
        ),
        (
            rf"^(?:{_SUBJECT}) (?:a|ont) pour (?P<aim>{'|'.join(_AIMS)}) (?:principale? )?d(?:e |[’'])(?P<said>.+)$",
            _aimed,
        ),
        (
            rf"^(?P<aim>(?:L[’'](?:objectif|ambition|enjeu|intérêt)|Le (?:but|rôle|principe)|La (?:mission|vocation)) d(?:u |es |e |[’'])"
            rf"{_WORDS}) (?:est|consiste) (?:de |d[’']|à )(?P<said>.+)$",
            _aim_is,
        ),
        (rf"^{_SUBJECT} (?:permet(?:tent)?|ser(?:t|vent)) (?:de |d[’']|à )(?P<said>.+)$", _useful),
        (
            rf"^{_SUBJECT} (?P<verb>est|sont) (?P<done>\w+(?:ée?s?|ie?s?|ise?s?|ue?s?)) par "
            r"(?P<who>l(?:es? |a |[’'])(?!(?:loi|décret|arrêté|présent|biais|suite|fait|voie|règlement|ordonnance|article|code|budget|publication|date|première|deuxième)\b).+)$",
            _by_whom,
        ),
        (
            rf"^{_SUBJECT} (?P<verb>est|sont) (?P<done>(?:adress|confi|envoy|notifi|communiqu|accord|destin)ée?s?|(?:remis|transmis)e?s?) "
            r"(?:à |aux? )(?P<who>(?:l[ae’'] ?)?[a-zà-ÿ].+)$",
            _to_whom,
        ),
        (rf"^{_SUBJECT} (?:est|sont) (?P<said>(?:une?|des|l[ae]) .+|l[’'].+)$", _defined),
        (rf"^{_SUBJECT} (?P<verb>désigne(?:nt)?|signifie(?:nt)?|veut dire) (?P<said>.+)$", _meant),
        (r"^(?P<term>[A-ZÀ-Ý][\w&’'.-]*(?: [\w’'-]+){0,2}) : (?P<said>(?:une?|l[ae’']|ensemble|action|fait) ?[^:]{10,})$", _glossed),
        (rf"^{_SUBJECT} (?P<verb>doi(?:t|vent)) (?P<said>(?!être|avoir|donc|aussi|également)[a-zà-ÿ]+(?:er|ir|re) .+)$", _must),
        (
            r"^Pour (?P<goal>(?!être|avoir|cela)[a-zà-ÿ]+(?:er|ir|re) [^,;:.]{4,70}), (?:il (?:faut|suffit de|est possible de)|vous "
            r"(?:devez|pouvez)|on (?:peut|doit)) (?P<said>.+)$",
            _how,
        ),
    )
)  # fmt: skip


# --- French


def _inside(text: str) -> str:
    """A sentence's start inside another: articles lose their capital, names keep theirs."""
    first = re.match(r"(?:(?:Les?|La|Une?)\b|L[’'])", text)
    return text[:1].lower() + text[1:] if first else text


def _of(noun: str) -> str:
    return f"d’{noun}" if noun[:1] in "aeiouéèêâîôàœ" else f"de {noun}"


def _of_the(subject: str) -> str:
    """« de » with the article: du, des, de la, de l’."""
    inside = _inside(subject)
    for article, merged in (("le ", "du "), ("les ", "des ")):
        if inside.startswith(article):
            return merged + inside.removeprefix(article)
    return _of(inside) if inside[:1].islower() else f"de {inside}"


def _that(subject: str) -> str:
    return f"qu’{subject}" if subject[:1].lower() in "aeiouéèêâîôàœ" else f"que {subject}"


def _trimmed(text: str) -> str:
    return _WEAK_END.sub("", text).rstrip(_ENDS)
