"""Words that OCR damaged: lost accents and apostrophes, letters taken for others, words glued together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from corpus.lexicon import frequency, in_dictionary, is_right, lemma, neighbours, origins
from corpus.repair_signs import VOWELS

AS_LIKELY = 5.0  # how much more frequent an accented form must be to replace a dictionary word that stands there
LIKELIER = 2.0  # the same, to replace a word that no dictionary has
ACUTE_LOST = 40.0  # by how much an é where OCR kept é is less likely
DOUBTFUL = 5e-7  # frequency below which a form that no dictionary has may be one of OCR's (« cceur »)
SURER = 50.0  # how much more frequent the right form must then be
KNOWN = 1e-7  # frequency of a form that a repair may lead to
NAME_LETTERS = 5  # of a name in capitals that may have one letter misread
OFTENER = 5  # how many times more its right form must be said
COMMON = 2e-6  # of what a word at one letter, or each of two glued ones, must be

CONFUSIONS: tuple[tuple[str, str], ...] = (
    ("cce", "cœ"), ("ce", "œ"), ("oce", "œ"), ("eé", "è"), ("eé", "é"), ("ée", "è"), ("gu", "qu"), ("rn", "m"), ("m", "rn"),
    ("mmm", "mm"), ("egl", "èl"), ("b", "ô"), ("bt", "ôt"), ("d", "ô"), ("6", "ô"), ("c", "ç"), ("cc", "c"), ("ii", "û"),
    ("G", "û"), ("g", "é"), ("d", "é"), ("qu", "çu"), ("Ed", "Éd"), ("li", "h"), ("I", "l"), ("l", "I"), ("GU", "QU"),
)  # fmt: skip
# Read for a far more frequent word, though both exist.
TAKEN_FOR = {"gue": "que", "gui": "qui", "guelle": "quelle", "guel": "quel", "gu": "qu"}
# Short words in capitals pass for acronyms: these can be none.
_CAPITALS = {"CCEUR": "CŒUR", "CEUR": "CŒUR", "CCEURS": "CŒURS", "CEURS": "CŒURS", "VCEU": "VŒU", "VCEUX": "VŒUX"}
PREFIXES = frozenset(
    "ultra extra super hyper inter intra anti contre sous post trans auto multi micro macro pluri radio photo média audio vidéo "
    "électro hydro thermo bio géo neuro psycho techno mono poly pseudo para méta cardio dermo agro éco socio".split()
)
SMALL_WORDS = frozenset(
    "le la les un une des de du au aux et en à a ce ces cet cette son sa ses leur leurs dans par pour sur avec que qui ou "
    "est sont nos notre vos votre plus sans".split()
)


def word(text: str, lost: bool, acute: bool, document: Mapping[str, int], opens: bool) -> str:
    """`text` mended. `document`: the words of its document; `opens`: it starts a sentence."""
    if len(text) < 2:
        return text
    lower = text.lower()
    if lost and lower in TAKEN_FOR:
        return cased(TAKEN_FOR[lower], text)
    if lost and re.fullmatch(r"[a-zé]+G[a-zé]*", text):  # « dG » for « dû »: no French word has a capital inside
        return text.replace("G", "û")
    if in_dictionary(lower):
        return _accented(text, lost, acute, AS_LIKELY)
    if lost and _better(text, acute, LIKELIER) is not None:
        return _accented(text, lost, acute, LIKELIER)
    known = frequency(lower)
    name = text[0].isupper() and not opens
    if known < DOUBTFUL and not (name and not lost):
        return _unknown(text, known, lost, acute, document, opens)
    return text


def _accented(text: str, lost: bool, acute: bool, ratio: float) -> str:
    if not lost or len(text) < 3 or text.isupper():  # capitals go without accents by habit
        return text
    best = _better(text, acute, ratio)
    return cased(best, text) if best is not None else text


def _better(text: str, acute: bool, ratio: float) -> str | None:
    """The form that OCR most likely read as `text`, where it is `ratio` times likelier than `text` itself."""
    lower = text.lower()
    start = 1 if text[0] == "E" else 0  # a capital loses its accent whatever OCR keeps

    def likelihood(form: str) -> float:
        shown = frequency(form)
        gained = sum(a == "e" and b == "é" for a, b in zip(lower[start:], form[start:], strict=False))
        return shown / ACUTE_LOST**gained if acute else shown

    options = [form for form in origins(text) if form != lower and is_right(form)]
    best = max(options, key=likelihood, default=None)
    if best is None:
        return None
    # The spelling of 1990 (« connaitre ») is right too, but OCR loses more circumflexes than authors do.
    circumflex = len(best) == len(lower) and all(
        a == b or (a, b) in (("i", "î"), ("u", "û")) for a, b in zip(lower, best, strict=True)
    )
    needed = min(ratio, 1.5) if (circumflex and len(lower) > 2) or start else ratio
    # Where what stands there is no word, the weights choose between its origins and don't hold any back.
    strength = likelihood(best) if is_right(lower) else frequency(best)
    return best if strength > needed * frequency(lower) else None


def _unknown(text: str, known: float, lost: bool, acute: bool, document: Mapping[str, int], opens: bool) -> str:
    """An unknown or doubtful word: a lost apostrophe, letters taken for others, one letter wrong or lost."""
    elided = _elided(text, lost, document, opens)
    if elided is not None:
        return elided
    if lost and text.isupper() and (name := _name(text.lower(), document)):
        return name.upper()
    if text.isupper() and len(text) < 6:
        return _CAPITALS.get(text, text) if lost else text  # an acronym
    found = [(frequency(form), cased(form, text)) for form in _confused(text, lost)]
    best, mended = max(found, default=(0.0, text))
    if best > max(KNOWN, SURER * known):
        return mended
    rare = document.get(text.lower(), 0) < 2
    if lost and not known and rare and len(text) >= 7 and (text.islower() or (opens and text.istitle())):
        near = sorted(((frequency(form), form) for form in neighbours(text)), reverse=True)
        if near and near[0][0] >= COMMON and (len(near) == 1 or near[0][0] > 4 * near[1][0]):
            return cased(near[0][1], text)
    return text


def _name(lower: str, document: Mapping[str, int]) -> str | None:
    """The name in capitals that the document says far more often, of which one letter was misread (« LE RAMEAL » where it has
    « LE RAMEAU » fourteen times)."""
    if len(lower) < NAME_LETTERS:
        return None
    often = OFTENER * max(document.get(lower, 0), 1)
    alike = (w for w, seen in document.items() if len(w) == len(lower) and seen >= often)
    return next((w for w in alike if sum(a != b for a, b in zip(w, lower, strict=True)) == 1), None)


def _elided(text: str, lost: bool, document: Mapping[str, int], opens: bool) -> str | None:
    """« Lobjectif », « dalliance », « Paction », « LANPP » (where the document has « ANPP » too)."""
    first, rest = text[0], text[1:]
    if rest.isupper() and len(rest) >= 3 and first in "LTPI" and lost:
        seen = document.get(rest.lower(), 0)
        if seen and document.get(text.lower(), 0) <= 1 and rest[0] in VOWELS:
            return ("L'" if opens else "l'") + rest
    if lost and first in "sSnN" and rest[:1] in VOWELS and len(rest) > 5 and rest.islower() and lemma(rest) == rest:
        if re.search(r"(?:er|ir|re)$", rest) and in_dictionary(rest) and frequency(rest) > COMMON:
            return f"{first if opens else first.lower()}'{rest}"  # « doit Sappuyer »
    if first not in "lLdDP" or rest[:1] not in VOWELS or len(text) < 5 or text.isupper():
        return None
    if (first in "LD" and not opens) or (first == "P" and not lost):
        return None  # a name
    if document.get(text.lower(), 0) > 2 and not document.get(rest.lower()):
        return None  # a name
    options = [form for form in (origins(rest) if lost else (rest.lower(),)) if is_right(form)]
    best = max(options, key=frequency, default="")
    if not best or frequency(best) <= (1e-5 if first == "P" else COMMON):
        return None
    article = ("L" if opens else "l") if first == "P" else first
    return f"{article}'{cased(best, rest)}"


def _confused(text: str, lost: bool) -> Iterator[str]:
    """Dictionary words that `text` is for one confusion of letters."""
    for wrong, right in CONFUSIONS:
        for match in re.finditer(re.escape(wrong), text):
            tried = text[: match.start()] + right + text[match.end() :]
            for form in origins(tried) if lost else (tried.lower(),):
                if is_right(form) or (lost and frequency(form) >= KNOWN):
                    yield form


def spaces(text: str, document: Mapping[str, int]) -> str:
    """Words glued together are parted where the whole is no word and both halves are common."""

    def part(match: re.Match[str]) -> str:
        glued = match.group()
        if glued.lower() == "dela":
            return f"{glued[:2]} la"
        if glued.isupper() or re.fullmatch(r"(?:[dl]es?|[dl]u|la|aux?)dite?s?", glued.lower()):
            return glued
        if document.get(glued.lower(), 0) > 1 and not _starts_with_article(glued, document):
            return glued
        if is_right(glued) or any(is_right(form) for form in origins(glued)):
            return glued
        if len(glued) >= 7 and any(frequency(form) >= COMMON for form in neighbours(glued)):
            return glued
        halves = [(glued[:at], glued[at:]) for at in range(1, len(glued))]
        options = [(worth, left, right) for left, right in halves if (worth := _parting(left, right))]
        if not options:
            return glued
        _, left, right = max(options)
        return f"{left} {right}"

    return re.sub(r"(?<![\w/.@-])[^\W\d_]{3,}(?![\w’'/@]|\.\w)", part, text)


def _starts_with_article(glued: str, document: Mapping[str, int]) -> bool:
    """« lepartenariat », though it stands there twice, where « partenariat » does too."""
    rest = re.match(r"(?:les?|la|des?|du|aux?)(\w{5,})$", glued)
    return rest is not None and document.get(rest[1], 0) >= document[glued.lower()] and in_dictionary(rest[1])


def _parting(left: str, right: str) -> float:
    """How common the rarer of two halves is; 0 where they are no pair of words."""
    small = [half.lower() in SMALL_WORDS for half in (left, right)]
    if left[0].isupper() and not (
        small[1] and len(right) > 1 and len(left) > 4 and any(map(in_dictionary, origins(left)))
    ):
        return 0.0  # a name
    if not any(small) and min(len(left), len(right)) < 4:
        return 0.0
    if (left.lower() in PREFIXES and not small[0]) or (small[1] and not small[0] and len(left) < 3):
        return 0.0
    uses = []
    for half, is_small in zip((left, right), small, strict=True):
        if is_small:
            continue
        use = _use(half)
        if use < (COMMON if len(half) >= 5 else 50 * COMMON):
            return 0.0
        uses.append(use)
    return min(uses, default=1.0)


def _use(text: str) -> float:
    return max(
        (frequency(form) for form in origins(text) if in_dictionary(form) or frequency(form) >= 10 * COMMON),
        default=0.0,
    )


def cased(form: str, like: str) -> str:
    """`form` with the capitals of `like`."""
    if like.isupper() and len(like) > 1:
        return form.upper()
    return form[0].upper() + form[1:] if like[0].isupper() else form
