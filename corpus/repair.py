"""Undo what OCR does to French text: elisions, accents, letters taken for others, note calls glued to words, addresses.

Each rule is for a class of errors; a word is changed only where the lexicon knows the result and not (or much less) what
stood there. What is ambiguous in clean text (accents, `a` or `à`, `ou` or `où`, calls without a sign of their own) is touched
only in a document that has lost its accents. `python -m corpus.measure_repair` says what is restored and what is harmed.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from corpus.repair_grammar import grammar
from corpus.repair_signs import elisions, marks, signs
from corpus.repair_words import spaces, word

# Share of è ê à ç ù î ô â among letters below which a text has lost them; clean French has 0.01 to 0.02.
LOST_ACCENTS = 0.002
KEPT_ACUTE = 0.008  # share of é above which OCR has kept it: then a bare e is no é
ENOUGH_LETTERS = 400  # to tell
_WORD = re.compile(r"[^\W\d_]+")
_URL_START = re.compile(r"\bh[il1t]{1,3}[oi]?p?[so][.:]\s?/\s?/|\bhttps?[.:]\s?//|\bhttps?\.//")
_URL = re.compile(
    r"https?://\S+(?:(?<=[.\-/_])\s(?=[\w.\-]+/)\S+|\s(?=(?:fr|org|com|net)/)\S+|(?<=-)\s(?=[\w-]+[./])\S+"
    r"|(?<=\.)\s(?=(?:[\w-]+\.\s?){1,3}(?:fr|org|com|net|eu)/)\S+"  # « interet. files. wordpress.com/ »
    r"|(?<=\.)\s(?=p[ad]{1,2}f\b)\S+|\s(?=_)\S+|(?<=[a-z]-)\s\d\s\d(?=-)\S+)*"
)


@dataclass(frozen=True)
class Damage:
    """What OCR did to a document, judged from the whole of it."""

    lost: bool = False  # its accents, é excepted
    acute: bool = True  # é is kept
    words: Mapping[str, int] = field(default_factory=dict)  # how often the document has each word, lower-cased


def damage_of(text: str) -> Damage:
    """Judge a document's damage; a text of less than ENOUGH_LETTERS letters passes for sound."""
    letters = sum(c.isalpha() for c in text)
    acute = text.count("é") + text.count("É") >= KEPT_ACUTE * letters
    return Damage(has_lost_accents(text), acute, Counter(word.lower() for word in _WORD.findall(text)))


def has_lost_accents(text: str) -> bool:
    """Whether a long enough text lacks the accents that French has (é excepted, which OCR keeps best)."""
    letters = sum(c.isalpha() for c in text)
    return letters >= ENOUGH_LETTERS and sum(c in "èêàçùîôâÈÊÀÇ" for c in text) / letters < LOST_ACCENTS


def repair(text: str, damage: Damage | bool | None = None) -> str:
    """The text of a block with OCR damage undone. `damage`: of its document; a bool says whether accents were lost there;
    None judges from `text` alone."""
    if damage is None:
        damage = damage_of(text)
    elif isinstance(damage, bool):
        damage = Damage(damage)
    text = unicodedata.normalize("NFC", text).replace("ﬁ", "fi").replace("ﬂ", "fl").replace("\u00ad", "")
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c) != "Cc")
    text = _URL_START.sub(lambda m: m.group() if m.group() == "http://" else "https://", text)
    parts, last = [], 0
    for match in _URL.finditer(text):
        parts += [_prose(text[last : match.start()], damage), _address(match.group(), damage.lost)]
        last = match.end()
    return "".join(parts) + _prose(text[last:], damage)


def _address(url: str, lost: bool) -> str:
    url = re.sub(r"\s+", "", url)
    if lost:
        url = re.sub(r"(?<=[a-z])\.fi(?=/)", ".fr", url)
    return re.sub(r"\.?(?:padf|paf|pdf)$", ".pdf", url)


def _prose(text: str, damage: Damage) -> str:
    if not text.strip():
        return text
    text = signs(text)
    if damage.lost:
        text = marks(text)
    text = elisions(text, damage.lost)
    if damage.lost:
        text = spaces(text, damage.words)
    text = _WORD.sub(lambda m: word(m.group(), damage.lost, damage.acute, damage.words, _opens(text, m.start())), text)
    if damage.lost:
        text = grammar(elisions(text, True))
    return text


def _opens(text: str, at: int) -> bool:
    """Whether a sentence starts at `at`."""
    before = text[:at].rstrip('« \u00a0("“')
    return before in ("", "-", "•") or before[-1] in ".!?…\n" or before.endswith(("\n-", "\n•"))
