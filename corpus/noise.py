"""What OCR does to French text, as a seeded random model: for measuring the repair, never for reading.

The kinds and their rates follow what was counted in a real cahier that OCR had read: é is nearly the only accented letter left,
`l'` is read as `I'` or loses its letter or its apostrophe, `à` is `a`, œ is `ce`, note calls stick to words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

WITHOUT_ACCENT = str.maketrans("èêëàâùûüîïôçÈÊÀÂÉÔÎÇ", "eeeaauuuiiocEEAAEOIC")
AS_E_ACUTE = str.maketrans("èê", "éé")
CALLS = ("®", "'®", "°", "™", "’™", "*", "®°", "?®", "'”")
LETTERS = (("ô", "6"), ("ô", "b"), ("ô", "d"), ("û", "G"), ("m", "rn"), ("rn", "m"), ("qu", "gu"), ("œu", "ceu"))


@dataclass(frozen=True)
class Rates:
    """Share of the places where a kind may strike that it does strike."""

    accent: float = 0.85  # of accented letters other than é
    acute: float = 0.45  # of the lost è and ê: read as é rather than e
    letter_for_elision: float = 0.45  # l' as I', ['
    lost_elision: float = 0.06  # l' as '
    lost_apostrophe: float = 0.05  # l'accord as laccord
    doubled_apostrophe: float = 0.02
    note_call: float = 0.012  # of words of four letters or more
    letter: float = 0.01  # of the places of each pair in LETTERS
    il: float = 0.5  # Il as |l, 1l
    glued: float = 0.004  # of spaces


ACCENTS_ONLY = Rates(1.0, 0.4, 0, 0, 0, 0, 0, 0, 0, 0)


def damage(text: str, seed: int, rates: Rates | None = None) -> str:
    """`text` as a poor OCR might have read it; the same for the same seed."""
    rates, random = rates or Rates(), Random(seed)
    words = []
    for word in text.split(" "):
        words.append(_word(word, rates, random))
        if words[-1] and random.random() < rates.glued and len(words) > 1 and word[:1].isalpha():
            last = words.pop()
            words[-1] += last
    return " ".join(words)


def _word(word: str, rates: Rates, random: Random) -> str:
    if "//" in word or "@" in word:
        return word
    for right, wrong in LETTERS:
        if right in word and random.random() < rates.letter:
            word = word.replace(right, wrong, 1)
    word = "".join(_letter(char, rates, random) for char in word)
    if random.random() < rates.il:
        word = re.sub(r"^Il(?=s?$)", random.choice(("|l", "1l", "ll")), word)
    word = _elision(word, rates, random)
    if random.random() < rates.note_call and re.search(r"[a-zé]{4}[.,]?$", word):
        word = re.sub(r"(?=[.,]?$)", random.choice(CALLS), word, count=1)
    return word


def _letter(char: str, rates: Rates, random: Random) -> str:
    if char == "œ":
        return "ce" if random.random() < rates.accent else char
    plain = char.translate(WITHOUT_ACCENT)
    if plain == char or random.random() >= rates.accent:
        return char
    return char.translate(AS_E_ACUTE) if random.random() < rates.acute else plain


def _elision(word: str, rates: Rates, random: Random) -> str:
    match = re.match(r"^([«(]?)([lL])(['’])(?=\w)", word)
    chance = random.random()
    if match is None:
        return re.sub(r"(?<=[dnqs])’", "’'", word) if chance < rates.doubled_apostrophe else word
    rest = word[match.end() :]
    if chance < rates.letter_for_elision:
        return f"{match[1]}{random.choice(('I', 'I', 'I', 'P', '['))}{match[3]}{rest}"
    chance -= rates.letter_for_elision
    if chance < rates.lost_elision:
        return f"{match[1]}{match[3]}{rest}"
    chance -= rates.lost_elision
    return f"{match[1]}{match[2]}{rest}" if chance < rates.lost_apostrophe else word
