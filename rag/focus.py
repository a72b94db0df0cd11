"""What a question asks about: the words after its interrogative (« combien de *jeunes*… », « quel est le *budget*… »).

When the corpus doesn't answer, it is most often this very thing that the best sentence lacks: the programme is there, its
cost is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.expect import NUMBER_TOKENS
from rag.lexical import STOP_WORDS, LexicalIndex, fold, stem, words

MOST = 2  # words of the focus: the thing asked for, and what is said of it
NEAR = 5  # words after a number, within which the thing counted stands
_INTERROGATIVE = re.compile(
    r"\b(?:quel(?:le)?s?|combien|qui|quand|ou|comment|pourquoi|qu'est[- ]ce que?|que|quoi|lesquel(?:le)?s|est-ce que)\b"
)
_NUMBER = re.compile(
    r"\b(?:\d[\d ]*|une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quinze|seize|vingt|trente|quarante|cinquante|soixante|cent|cents|mille|cinquantaine|quarantaine|"
    r"vingtaine|trentaine|centaine|dizaine|douzaine|plusieurs|millions?|milliers?)\b"
)
# What a question may ask for without the answer ever using the word.
_GENERIC = frozenset(
    stem(word)
    for word in """
    nombre date annee lien role objectif difference definition nom exemple exemples etape etapes type types raison question
    chose cahier corpus document texte auteur auteurs chiffre chiffres terme mot sens signification sorte mesure facon
    maniere moyen mois jour adresse site page duree temps ans pourcentage titre selon cite citer liste lister enumerer
    signifier designer appeler entendre resume apporter representer correspondre correspond evoquer cadre propos concerner
    rapport idee genre sorte structure organisme truc
    co parution paru parue publie publiee edite editeur
    """.split()
)


def focus(question: str, lexical: LexicalIndex) -> tuple[str, ...]:
    """Index tokens of the thing asked for, most telling first; up to two, none where the question has no content word."""
    folded = fold(question)
    marks = list(_INTERROGATIVE.finditer(folded))
    after = _content(folded[marks[-1].end() :], lexical) if marks else []
    return tuple((after or _content(folded, lexical))[:MOST])


def _content(text: str, lexical: LexicalIndex) -> list[str]:
    tokens = (stem(lexical.correct(word)) for word in words(text) if word not in STOP_WORDS)
    return [token for token in tokens if token not in _GENERIC]


def uncounted(things: Sequence[str]) -> tuple[str, ...]:
    """The thing asked for, of the tokens of the focus, without how many there are; none where only a number is asked of."""
    return tuple(token for token in things if token not in NUMBER_TOKENS and not token.isdigit())[:1]


def counts(sentence: str, asked: Sequence[str]) -> bool:
    """Whether a number of the sentence counts the thing asked for (« 350 *catalyseurs* »)."""
    folded = fold(sentence)
    following = (folded[m.end() : m.end() + 60] for m in _NUMBER.finditer(folded))
    return any(token in [stem(w) for w in words(text)][:NEAR] for text in following for token in asked)
