"""`a` or `à`, `ou` or `où`, `la` or `là`, `des` or `dès`, from the words around them, in text that has lost its accents.

For `a`, clues are weighed: who stands before (a subject, a plural, a participle), what follows (an infinitive, a participle, an
article), and whether the clause already has its verb.
"""

from __future__ import annotations

import itertools
import re

from corpus.lexicon import in_dictionary, lemma

_SUBJECTS = frozenset(
    "il elle on qui y n ont en ne nous lui m t j s ça cela ceci chacun chacune celui-ci celle-ci l les".split()
)
_AFTER_VERB = frozenset(
    "pas plus ainsi également aussi bien déjà toujours ensuite été eu fait permis mis pris donc jamais pu dû su vu alors pour "
    "besoin lieu droit accès peu beaucoup tort raison trop rien dans souvent longtemps encore lui-même elle-même même "
    "trait recours intérêt vocation connaissance conscience du jadis certes enfin notamment depuis récemment pourtant "
    "réellement quand quelque très soif faim peur compétence profondément largement fortement progressivement vraiment véritablement".split()
)
_ARTICLES = frozenset("la l".split())
_NEVER_CONTRACTED = frozenset("le les".split())  # « à le » and « à les » only stand before an infinitive
_POINTERS = frozenset(
    "ce cet cette ces son sa ses leur leurs nos notre vos votre chaque chacun chacune tous tout toute toutes quoi qui eux elle "
    "elles lui nous vous quel quelle quels quelles".split()
)
_FIXED = frozenset(
    "durée domicile temps partir travers portée côté savoir venir jour terme titre propos long court moyen cause condition".split()
)
_GOVERNS = frozenset(
    "grâce face quant suite relatif relative relatifs relatives conforme conformes contrairement rapport lié liée liés liées "
    "égard tel telle tels telles propice nécessaire nécessaires jusqu réponse droit accès aide appel contribution retour passage apte prêt prête "
    "capable semblable identique inférieur supérieur inférieure supérieure préalable propre propres".split()
)
_CLAUSE = re.compile(
    r"[.;:!?()«»]|\b(?:qui|que|qu[’']|dont|où|mais|car|lorsqu[’'e]|quand|puisqu[’'e]|si)\b", re.IGNORECASE
)
_OWN = frozenset("son sa ses leur leurs la l cet cette".split())
_FROM = re.compile(
    r"\bd(?:e |u |es |[’'])(?:son |sa |ses |leurs? |la |l[’']|une? )?[\w-]+\s*$"
)  # « de son essor à sa chute »
_DETERMINERS = frozenset(
    "le la l les un une des du de d au aux ce cet cette ces son sa ses leur leurs nos notre vos votre chaque tout toute non en "
    "par pour sans sur".split()
)
_PARTICIPLES = frozenset(
    "acquis appris atteint compris conduit connu construit contraint couvert dit découvert décrit défini détruit écrit eu fait fini fourni "
    "inscrit introduit joint mis obtenu offert ouvert permis pris produit reconduit recueilli reçu reconnu réduit rejoint remis "
    "repris réuni réussi servi soumis souscrit suivi surpris tenu traduit vu".split()
)
_BEING = frozenset(
    "est sont était étaient sera seront serait soit soient être étant fut furent".split()
)  # never before « a »
_WHEN = re.compile(r"\b(?:si|lorsque|quand|puisque)\s*$", re.IGNORECASE)
_FINITE = frozenset(
    "est sont était étaient sera seront soit fut a ont avait avaient aura auront peut peuvent doit doivent fait font va vont "
    "permet permettent vise visent consiste consistent reste restent devient deviennent faut vient viennent".split()
)
_PARTICIPLE = re.compile(r"(?:é|ée|és|ées|i|ie|is|it|ite|u|ue|us|ues|ert|erte|int|inte|aint)$")
_VERB = re.compile(r"(?:er|ir|re|oir)$")
_A = re.compile(
    r"(?P<before>(?:[\w’'»)%-]+|^|(?<=[(«—]))(?:\s*[.!?:;,(«—])?\s*)(?:(?<![\w’'-])|(?<=qu[’']))(?P<a>[aA])(?P<gap>\s+[«(]?\s*)(?P<after>[\w-]+)(?P<mark>[’']?)"
)
_PLACES = (
    "jour|moment|cas|lieu|lieux|endroit|époque|année|années|mesure|pays|celui|celle|ceux|celles|période|siècle|"
    "point|là|partout|terroir|espace|monde|instant"
)


def grammar(text: str) -> str:
    """The text with these small words decided."""
    text = _decide_a(text)
    text = re.sub(r"\b([jJ]usqu[’'])a\b", r"\1à", text)
    text = re.sub(r"(?<=[a-zé])-a-(?!t-)(?=[a-z])", "-à-", text)
    text = re.sub(r"\b(celui|celle|ceux|celles|jusque|par)-la\b", r"\1-là", text)
    text = re.sub(r"\bau-dela\b", "au-delà", text)
    text = re.sub(r"(?<=[.!?]\s)La(?= encore\b|[ ,]+où\b)|^La(?= encore\b)", "Là", text)
    text = re.sub(r"\b([lL])a o[uù](?=\s)", r"\1à où", text)
    text = re.sub(r"\bla(?= [lL][’']\w)", "là", text)
    return _decide_ou(_decide_des(text))


def _decide_des(text: str) -> str:
    after = r"(?:le|la|les|l[’']\w+|son|sa|ses|leurs?|cette|que|qu[’']\w+|lors|maintenant|aujourd|\d{4})\b"
    return re.sub(rf"\b([dD])[eé]s(?=\s{after})|\b([dD])és\b", lambda m: (m[1] or m[2]) + "ès", text)


def _decide_ou(text: str) -> str:
    text = re.sub(r"\b([dD][’'])ou\b", r"\1où", text)
    who = r"(?:il|ils|elle|elles|on|chacun|chacune)"
    thing = r"(?:l[’']\w+|le|la|les)"
    text = re.sub(
        rf"(?<![lL]ui )(?<!il )(?<!elle )(?<!ils )(?<!elles )(?<!eux )\bou(?=\s{who}\s[a-zéè’']+)", "où", text
    )
    text = re.sub(rf"\b({_PLACES}),? ou(?=\s{who}\b)", lambda m: m.group()[:-2] + "où", text)

    def place(match: re.Match[str]) -> str:
        """« les lieux où la dimension permet… », but « les lieux ou le cadre » where no verb follows."""
        rest = re.split(r"[.,;:!?)]", text[match.end() :], maxsplit=1)[0]
        return match.group()[:-2] + "où" if _has_verb(f" {rest}") else match.group()

    return re.sub(rf"\b(?:{_PLACES})(?:(?: [\w’'-]+){{0,5}},)? ou(?=\s{thing})", place, text)


def _decide_a(text: str) -> str:
    position = 0
    while match := _A.search(text, position):
        position = match.end("a")
        following = re.match(r"\s*([\w-]+)", text[match.end() :])
        beyond, after = following[1] if following else "", match["after"]
        whole = re.match(r"\((\w+)\) ?(\w+)", text[match.end("a") :].lstrip())
        if whole:  # « (ré)inventer »
            after = whole[1] + whole[2]
        if _is_preposition(text[: match.start("a")], after, beyond, text[match.end() :], match["a"] == "A"):
            letter = "À" if match["a"] == "A" else "à"
            text = text[: match.start("a")] + letter + text[match.end("a") :]
    return text


def _is_preposition(before: str, after: str, beyond: str, rest: str, capital: bool) -> bool:
    """Whether `a`, after the text `before` and ahead of the word `after` (then `beyond`, `rest` from there), is `à`."""
    last = re.search(r"([\w-]+)[’'»)%]*\s*([.!?:;,(«—]?)\s*$", before)
    words = re.split(r"[’']", last[1])[-1] if last else ""
    previous, stop = words.lower(), last[2] if last else "^"
    if not stop and previous in _SUBJECTS and after.lower() not in ("travers",):
        return False
    if capital and not stop and not re.fullmatch(r"\W*\d{0,3}\W*", before):
        return False  # « le groupe A », and titles in capitals
    if not stop and previous in _BEING:
        return True
    if previous.isdigit() and after[0].isdigit():
        return True  # « de 18 à 25 ans »
    score = _after(after, beyond)
    noun = bool(re.search(rf"\b(?:{'|'.join(_DETERMINERS)})[\s’'«]+[^\W\d][\w-]*\W*$", before, re.IGNORECASE))
    if stop:
        score += 1.0
    elif previous in _GOVERNS or _is_infinitive(previous) or (_is_participle(previous) and not noun):
        score += 2.5
    elif re.search(r"[sx]$", previous) and in_dictionary(previous):
        score += 1.5
    if _has_verb(before):
        score += 1.5
    else:
        score -= 1.5
        clause = _clause(before)
        if _WHEN.search(before[: len(before) - len(clause)]) and clause.strip():
            score -= 2.5  # « si le salarié a l'accord… »: this clause still wants its verb
        elif noun and not stop and _states(before, rest):
            score -= 2.0
    if after.lower() in _OWN and _FROM.search(before):
        score += 2.0
    return score > 0


def _after(after: str, beyond: str) -> float:
    lower = after.lower()
    if lower in ("priori", "posteriori", "fortiori", "contrario", "minima", "maxima", "cappella", "tempera"):
        return -9.0
    if lower in _FIXED:
        return 5.0
    if lower in _AFTER_VERB:
        return -5.0
    if lower == "en" and beyond.lower() in ("outre", "effet", "fait", "revanche", "général"):
        return -5.0
    if lower.endswith("ment") and _is_participle(beyond):
        return -5.0
    if lower in _NEVER_CONTRACTED:
        return 4.0 if _is_infinitive(beyond) else -4.0
    if _is_infinitive(lower):
        return 5.0
    if lower == "en" and _is_infinitive(beyond):
        return 4.0
    if lower in ("de", "d"):
        return -1.0
    if lower in ("tous", "toutes"):
        return 3.0
    if lower in _ARTICLES:
        return 2.5
    if lower in _POINTERS:
        return 1.5
    if lower in ("un", "une", "des"):
        return 0.5
    if _is_participle(lower):
        return -5.0
    if after[0].isupper():
        return 2.0
    if after[0].isdigit():
        return 0.7
    return 2.5 if lower == after and in_dictionary(lower) else 1.5  # « à temps partiel »


def _is_infinitive(word: str) -> bool:
    lower = word.lower()
    return bool(_VERB.search(lower)) and len(lower) > 3 and in_dictionary(lower) and lemma(lower) == lower


def _is_participle(word: str) -> bool:
    lower = word.lower()
    if lower in _PARTICIPLES or ((stem := re.match(r"(\w{2,})é(?:e?s?)$", lower)) and _is_infinitive(f"{stem[1]}er")):
        return True
    if (stem := re.match(r"(\w{2,}[nrt]d)u(?:e?s?)$", lower)) and _is_infinitive(f"{stem[1]}re"):
        return True
    return bool(_PARTICIPLE.search(lower)) and lemma(lower) != lower and bool(_VERB.search(lemma(lower)))


def _clause(before: str) -> str:
    """The end of `before`, from its last mark or conjunction on."""
    return before[max((m.end() for m in _CLAUSE.finditer(before)), default=0) :]


def _states(before: str, rest: str) -> bool:
    """Whether a sentence that starts with a determiner and ends with a full stop has no verb beside the `a` between."""
    sentence = re.split(r"[.!?]\s", before)[-1]
    first = re.match(r"[«\s]*([^\W\d_]+)", sentence)
    after = re.match(r"[^.!?;:]*(?=[.!?])", rest)
    if first is None or first[1].lower() not in _DETERMINERS or after is None or re.search(r"[,;:«(]", sentence):
        return False
    if any(word.lower() in _FINITE for word in re.findall(r"[^\W\d_]+", sentence)):
        return False
    return not _has_verb(f" {after.group()}")


def _has_verb(before: str) -> bool:
    """Whether the clause that `before` ends has a finite verb."""
    clause = _clause(before)
    opened = bool(re.search(r"\b(?:qui|que|qu[’']|dont|où)\s*$", before[: len(before) - len(clause)]))
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", clause)]
    if any(word in _FINITE for word in words):
        return True
    verbs = [
        word
        for word in words
        if len(word) > 4 and re.search(r"(?:ent|ait|aient|era|eront|ons|ez|it|ît|[eo]nd|ord)$", word)
    ]
    if any(_VERB.search(lemma(word)) and lemma(word) != word for word in verbs):
        return True
    named = {word for first, word in itertools.pairwise(words) if first in _DETERMINERS}
    plain = [w for w in words[1 if not opened else 0 :] if len(w) > 3 and w.endswith("e") and w not in named]
    return any(lemma(word).endswith("er") and lemma(word) != word for word in plain)
