"""Query: what is searched, with its tokens repaired and its explicit targets (a page, a document) recognised."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.condense import settled
from rag.expect import DRAWN, SPELLED, counted
from rag.lexical import ONLY_ASK, STOP_WORDS, LexicalIndex, fold, halves, stem, telling_words, tokenize, words
from rag.parts import afterthought, preamble

# Acronyms of the field and what they stand for (folded); both forms are searched when one is asked.
GLOSSARY: Mapping[str, tuple[str, ...]] = {
    "anct": ("agence nationale de la cohesion des territoires",),
    "anpp": ("association nationale des poles territoriaux et des pays",),
    "cdc": ("caisse des depots",),
    "cese": ("conseil economique social et environnemental",),
    "cpie": ("centres permanents d'initiatives pour l'environnement",),
    "crte": ("contrat de relance et de transition ecologique",),
    "cte": ("contrat de transition ecologique",),
    "djepva": ("direction de la jeunesse de l'education populaire et de la vie associative",),
    "dla": ("dispositif local d'accompagnement",),
    "epci": (
        "etablissement public de cooperation intercommunale",
        "intercommunalite",
        "communaute de communes",
        "communaute d'agglomeration",
    ),
    "ess": ("economie sociale et solidaire",),
    "fdva": ("fonds pour le developpement de la vie associative",),
    "odd": ("objectifs de developpement durable",),
    "onu": ("organisation des nations unies",),
    "orse": ("observatoire de la responsabilite societale des entreprises",),
    "pme": ("petite et moyenne entreprise",),
    "ptce": ("pole territorial de cooperation economique",),
    "rse": ("responsabilite societale des entreprises",),
    "r&d": ("recherche developpement", "recherche et developpement"),
    "snu": ("service national universel",),
}
EXPANSION_WEIGHT = 0.4  # of a word that the question doesn't hold; chosen with the reference questions
ASIDE_WEIGHT = 0.3  # of a word by which who asks says who they are
TOPIC_WORDS = (
    2.0  # as many words as what a follow-up takes from the question before it weighs, however long that one was
)

_FILLER = re.compile(  # how it is to be said, and what only asks
    r"\b(?:en (?:une|deux|trois|quelques|peu de) (?:phrases?|mots?|lignes?)|en (?:bref|gros|clair|résumé|resume)|au juste|"
    r"(?:au|dans le) fond(?! d| odd)|en vrai|s['’]il (?:vous|te) pla[iî]t|svp|stp|merci(?: d['’]avance| beaucoup)?|en r[eé]alit[eé]|au final|du coup|"
    r"(?:l['’])?ordre de grandeur (?:du |des |de |d['’])|"
    r"pour (?:une|ma|la|notre) (?:note|pr[eé]sentation)(?: (?:aux|à|de|pour) [\w’' ]{2,20})?(?=\W*$)|(?<=d[eé]finition )(?:courte|simple|rapide|claire)|"
    r"concr[eè]tement|exactement|vraiment|bri[eè]vement|simplement|pr[eé]cis[eé]ment|rapidement|"
    r"quel(?:le)? (?:genre|type|sorte) (?:de |d['’])(?:structure|organisation|organisme|association|chose|truc)|"
    r"(?:dis|dites|explique|expliquez|rappelle|rappelez|indique|indiquez)[- ]moi|peux-tu|pouvez-vous|pourriez-vous)\b\s*,?",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[\s'’(«])[A-ZÉÈÀÂÎÔÛ]\w{2,}")
_LASTING = re.compile(
    r"\bcombien de temps\b(?: (?:dure(?:nt|ra|ront)?|a dure|ont dure|faut-il|prend|prennent)\b)?"
)  # what is asked of it
# What kind of thing is asked for: the answer holds one, hardly ever its name. And where, for a corpus of this country.
_KIND = re.compile(
    r"\bcombien d(?:e |')(heures|jours|mois|semaines|minutes|annees|ans)\b|\b(volume) (horaire)\b|\b(dure(?:e|nt|ra|ront)?|sigles?|acronymes?|abreviations?)\b|"
    r"\b(definitions?|definir|definissez|definis)\b|\ba quelles? (conditions?)\b|\b(?:date|annee)s? de (parution|publication|sortie)\b|\b((?:paru|publie|edite)e?s?|editeurs?)\b|"
    r"\bquel(?:le)? (?:est (?:le |la |l'))?(annee|date|epoque|mois|pourcentage|proportion|rythme|frequence|periodicite|nombre)\b|"
    r"\b(?:en|dans (?:le|notre|ce)) (france|pays)\b(?! d)"
)
_PAGE = re.compile(r"\b(?:a la |en |de la |sur la )?(?:page|p\.)\s*(\d{1,4})\b")


@dataclass(frozen=True)
class Term:
    """A content word of the query: its index token, and its weight."""

    word: str
    token: str
    weight: float
    name: bool = False  # written with a capital inside the question


@dataclass(frozen=True)
class Query:
    text: str  # as asked, or its standalone form
    repaired: str  # with typing errors repaired, for the embedding model
    own: str  # the same, of what a follow-up asks by itself; "" for a question that takes nothing from another
    terms: tuple[Term, ...]
    taken: Mapping[str, float]  # folded words that a follow-up takes from the question before it, with what each weighs
    page: int | None = None
    document_ids: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """What the embedding model reads of it."""
        return (self.repaired, self.own) if self.own else (self.repaired,)

    @property
    def own_words(self) -> int:
        return len(set(telling_words(self.own)))

    @property
    def names(self) -> Mapping[str, tuple[frozenset[str], ...]]:
        """For each acronym asked for, and for how many things are, the tokens of its names (« les 3 avancées » are « trois »):
        a text that says one of them says it."""
        asked = [t.word for t in self.terms if t.weight != EXPANSION_WEIGHT]
        acronyms = {stem(w): tuple(frozenset(tokenize(n)) for n in GLOSSARY[w]) for w in asked if w in GLOSSARY}
        count = counted(fold(self.text))
        return acronyms | ({str(count): (frozenset({SPELLED[count]}),)} if count in SPELLED else {})


def parse(text: str, lexical: LexicalIndex, document_ids: tuple[str, ...] = ()) -> Query:
    """Terms of a question: stop words dropped, typing errors repaired from the corpus's own words, acronyms expanded."""
    asked = _FILLER.sub(" ", text.removesuffix(afterthought(text)))
    folded = fold(asked)
    page = _PAGE.search(folded)
    if page:
        folded = folded[: page.start()] + " " + folded[page.end() :]
    folded = _LASTING.sub(" ", folded)
    terms: dict[str, Term] = {}
    aside = preamble(text) | settled(text) | frozenset(DRAWN.findall(folded)) | kind_words(folded)
    taken = _taken(asked)
    repaired = asked
    names = {fold(name) for name in _NAME.findall(text)} if not text.isupper() else set()
    for word in words(folded):
        if word in STOP_WORDS or word in ONLY_ASK:
            continue
        right = lexical.correct(word)
        if right != word:
            repaired = _replace_word(repaired, word, right)
        token = stem(right)
        terms.setdefault(token, Term(right, token, ASIDE_WEIGHT if word in aside else 1.0, word in names))
    for extra in _other_forms([t.word for t in terms.values()]):
        token = stem(extra)
        terms.setdefault(token, Term(extra, token, EXPANSION_WEIGHT))
    number = int(page.group(1)) if page else None
    own = halves(repaired)[1] if taken else ""
    return Query(text, repaired, own, tuple(terms.values()), taken, number, document_ids)


def kind_words(folded: str) -> frozenset[str]:
    """Folded words of a folded question that name the kind of thing it asks for (« combien d'*heures* », « le *sigle* »)."""
    return frozenset(word for found in _KIND.findall(folded) for word in found if word)


def _taken(question: str) -> dict[str, float]:
    """The folded content words that a question only takes from what stands before its colon, with what each weighs; none where
    nothing is asked after it."""
    topic, own = (frozenset(telling_words(half)) for half in halves(question))
    taken = topic - own if own else frozenset[str]()
    return dict.fromkeys(taken, min(1.0, TOPIC_WORDS / max(len(taken), 1)))


def _other_forms(asked: Sequence[str]) -> Iterator[str]:
    """The words of the acronyms asked for, and the acronyms of the names asked for."""
    tokens = {stem(word) for word in asked}
    for acronym, names in GLOSSARY.items():
        if acronym in asked:
            yield from (word for name in names for word in words(name) if word not in STOP_WORDS)
        elif any(tokens >= set(tokenize(name)) for name in names):
            yield acronym


def _replace_word(text: str, folded_word: str, right: str) -> str:
    for match in re.finditer(r"\w+", text):
        if fold(match.group()) == folded_word:
            return text[: match.start()] + right + text[match.end() :]
    return text
