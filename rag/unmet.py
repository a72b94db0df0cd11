"""What a question asks for in so many words and its answer doesn't hold: a price, a share, a contact, a closing date.

A passage about the very thing, without what is asked of it, is what the calibrated probability (rag/abstain.py) takes most
often for an answer. Each rule is narrow: over 630 questions written by others, it took 22 answers from the 146 that had none to
give, and 3 from the 411 that had (docs/adr/0007-abstention.md).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.expect import Expectation, Want, holds
from rag.focus import focus
from rag.lexical import LexicalIndex, fold, stem, token_set

BEGINNING = 6  # letters that a word shares with its other forms
_AMOUNT = re.compile(
    r"\bcombien (?:ca |cela )?(?:coute|ont coute|a coute)|\bcoute(?:nt)?(?:-t-(?:il|elle)s?)? combien|\ba combien s'eleve|"
    r"\bcombien (?:gagne|touche|est paye|sont paye)|"
    r"\bquel(?:le)?s? (?:(?:est|etait|sera|sont) )?(?:(?:le|la|son|sa|leur) )?"
    r"(?:prix|couts?|budget|montant|tarif|somme|dotation|salaire|subvention)\b"
)
_SHARE = re.compile(r"%|\btaux\b|\bpourcentage\b")
_COUNT = re.compile(r"\bcombien d(?:e |')(?!temps|annees|ans|mois|jours|heures|argent)")
_CONTACT = re.compile(r"\b(?:e-?mail|mail|courriel|telephone|tel|contacter|joindre|coordonnees|adresse postale)\b")
_CONTACT_GIVEN = re.compile(r"\S@\S|\b0\d(?:[ .]?\d\d){4}\b|\bcontact")
_FREE = re.compile(
    r"\b(?:est|c'est|sont|etait)\b.{0,30}\b(?:gratuit|payant)(?:e?s?)\b|\best-ce (?:que c'est )?(?:gratuit|payant)"
)
_FREE_TOLD = re.compile(r"\bgratuit|\bpayant|€|\beuros?\b")
_CLOSING = re.compile(r"\b(?:dates? limites?|echeances?|deadline|delais?|jusqu'a quand|cloture)\b")
_OFFICE = re.compile(
    r"\bqui (?:est|etait|sont|sera|dirige|preside)\b.{0,20}\b"
    r"(presidente?|directeur|directrice|deleguee?|maire|ministre|tresorier|tresoriere|secretaire|prefete?|referente?)\b"
)


def unmet(question: str, expectation: Expectation, said: Sequence[str], lexical: LexicalIndex) -> bool:
    """Whether a question that asks one thing asks for what no sentence `said` holds."""
    folded, wants = fold(question), expectation.wants
    spoken = [fold(sentence) for sentence in said]

    def held(want: Want) -> bool:
        return any(holds(want, sentence, question) for sentence in said)

    def held_of_the_thing(want: Want) -> bool:
        things = [thing[:BEGINNING] for thing in focus(question, lexical)]  # « soutenus » is said by « a soutenu »
        return any(
            holds(want, sentence, question)
            and any(t.startswith(thing) for t in token_set(sentence) for thing in things)
            for sentence in said
        )

    office = _OFFICE.search(folded)
    return (
        ("percent" in wants and bool(_SHARE.search(folded)) and not held_of_the_thing("percent"))
        or ("number" in wants and bool(_COUNT.search(folded)) and not held_of_the_thing("number"))
        or ("money" in wants and bool(_AMOUNT.search(folded)) and not held("money"))
        or ("duration" in wants and not held("duration"))
        or (bool(_CONTACT.search(folded)) and not any(_CONTACT_GIVEN.search(s) for s in spoken))
        or (bool(_FREE.search(folded)) and not any(_FREE_TOLD.search(s) for s in spoken))
        or (bool(_CLOSING.search(folded)) and not any(_CLOSING.search(s) for s in spoken))
        or (office is not None and not any(stem(office.group(1)) in token_set(s) for s in said))
    )
