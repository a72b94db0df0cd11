"""Undo what OCR does to French text: elisions, accents, letters taken for others, note calls glued to words, addresses.

Each rule is for a class of errors; a word is changed only where the lexicon knows the result and not (or much less) what
stood there. Accents are restored only in text that has lost them: in clean text « cote » and « côté » are both right.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from corpus.lexicon import fold, forms, frequency, is_known

LOST_ACCENTS = (
    0.002  # share of è ê à ç ù î ô â among letters below which a text has lost them; clean French has 0.01 to 0.02
)
ENOUGH_LETTERS = 400  # to tell
AS_LIKELY = 12.0  # how much more frequent an accented form must be to replace the one that stands there
DOUBTFUL = 5e-7  # frequency below which a form may be one of OCR's that wordfreq has met (« cceur »)
SURER = 50.0  # how much more frequent the right form must then be
KNOWN = 1e-7  # frequency of a form that a repair may lead to

PREFIXES = frozenset("socio co eco non auto micro macro quasi ex vice demi semi inter multi pluri savoir bien".split())
_VOWEL = "aeiouyhàâéèêëîïôùûœAEIOUYHÀÂÉÈÊËÎÏÔÙÛŒ"
_WORD = re.compile(r"[^\W\d_]+")
_URL_START = re.compile(r"\bh[il1t]{1,3}[oi]?p?[so][.:]\s?/\s?/|\bhttps?[.:]\s?//")
_URL = re.compile(r"https?://\S+(?:[.\-/_]\s(?=[\w.\-]+/)\S+|\s(?=(?:fr|org|com|net)/)\S+|-\s(?=[\w-]+[./])\S+)*")


def has_lost_accents(text: str) -> bool:
    """Whether a long enough text lacks the accents that French has (é excepted, which OCR keeps best)."""
    letters = sum(c.isalpha() for c in text)
    return letters >= ENOUGH_LETTERS and sum(c in "èêàçùîôâÈÊÀÇ" for c in text) / letters < LOST_ACCENTS


def repair(text: str, accents: bool | None = None) -> str:
    """The text of a block with OCR damage undone. `accents`: whether they were lost (by default, judged from the text)."""
    lost = has_lost_accents(text) if accents is None else accents
    text = unicodedata.normalize("NFC", text).replace("ﬁ", "fi").replace("ﬂ", "fl").replace("\u00ad", "")
    text = "".join(c for c in text if c == "\n" or unicodedata.category(c) != "Cc")
    parts, last = [], 0
    for match in re.finditer(_URL, _URL_START.sub("https://", text)):
        source = match.string
        parts += [_words(source[last : match.start()], lost), _address(match.group())]
        last = match.end()
    return "".join(parts) + _words(_URL_START.sub("https://", text)[last:], lost)


def _address(url: str) -> str:
    url = re.sub(r"\s+", "", url)
    return re.sub(r"\.?(?:padf|paf|pdf)$", ".pdf", url)


def _words(text: str, lost: bool) -> str:
    text = _signs(text)
    text = _elisions(text)
    text = _WORD.sub(lambda m: _word(m.group(), lost), text)
    return _grammar(text) if lost else text


def _signs(text: str) -> str:
    """Note calls glued to words, ordinals, letters read as signs."""
    text = re.sub(
        r"\bODD 17\d{1,2}(?=\D|$)[°®™*]*", "ODD 17", text
    )  # the goals stop at 17: what follows is a note's call
    text = re.sub(r"\b(\d{1,2})(?:[°*º]+[™®]*|[™®]+)(?:m?e\b)?(?=\s[a-zéA-Z])", r"\1e", text)
    text = re.sub(r"\b(\d{1,2})8me\b", r"\1e", text)  # « 15ème » whose è was read as 8
    text = re.sub(r"(?<=[^\W\d_])['’\"]?[™®©]+\*?|(?<=[a-zé»])\*(?=[\s».,;]|$)", "", text)
    text = re.sub(r"€(?=é)", "", text)
    text = re.sub(r"€(?=[a-z]{2})", "é", text)
    text = re.sub(r"(?<![\w|])[|1]l(?=\s[a-zéèê])", "Il", text)
    text = re.sub(r"(?<!\w)lls(?=\s)", "Ils", text)
    return re.sub(r"\|(?=[a-zé]{2,}\s)", "", text)


def _elisions(text: str) -> str:
    text = re.sub(r"(?<=\w)[’'][’'](?=\w)", "’", text)
    text = re.sub(rf"(?<![\w’'])[I|P][’'](?=[{_VOWEL}])", "l'", text)
    text = re.sub(rf"(?<!\S)\[[’'](?=[{_VOWEL}])", "L'", text)
    text = re.sub(rf"(?<=[\s(«])[’'](?=[{_VOWEL}][\w-]{{2,}}(?![’']))|^[’'](?=[{_VOWEL}]\w{{2,}}(?![’']))", "l'", text)
    text = re.sub(r"\bgu[’'](?=\w)", "qu’", text)
    return re.sub(r"gu(?=[’']\w)", "qu", text)


def _word(word: str, lost: bool) -> str:
    if len(word) < 2:
        return word
    known = max((frequency(form) for form in forms(word)), default=0.0)
    if known < DOUBTFUL:
        mended = _unknown(word, known)
        if mended != word or not known:
            return mended
    if not lost or word.isupper() or len(word) < 3:
        return word
    lower = word.lower()
    best = max(forms(word), key=frequency)
    if best != lower and frequency(best) > AS_LIKELY * frequency(lower):
        return _cased(best, word)
    return word


_CONFUSIONS: tuple[tuple[str, str], ...] = (
    ("cce", "cœ"),
    ("ce", "œ"),
    ("oce", "œ"),
    ("eé", "è"),
    ("eé", "é"),
    ("gu", "qu"),
    ("rn", "m"),
    ("m", "rn"),
    ("mmm", "mm"),
    ("egl", "èl"),
    ("b", "ô"),
    ("bt", "ôt"),
    ("6", "ô"),
    ("c", "ç"),
    ("cc", "c"),
    ("ii", "û"),
    ("G", "û"),
    ("Ed", "Éd"),
)


def _unknown(word: str, known: float) -> str:
    """An unknown or doubtful word: a lost apostrophe, or letters taken for others."""
    if word.isupper() and len(word) < 6:
        return word  # an acronym
    found: list[tuple[float, str]] = []
    if word[0] in "lLdDP" and word[1:2] in _VOWEL and len(word) > 4:
        rest = max(forms(word[1:]), key=frequency, default="")
        if frequency(rest) > 1e-6:
            article = {"P": "l"}.get(word[0], word[0])
            found.append((frequency(rest), f"{article}'{_cased(rest, word[1:])}"))
    for wrong, right in _CONFUSIONS:
        for match in re.finditer(re.escape(wrong), word):
            tried = word[: match.start()] + right + word[match.end() :]
            best = max(forms(tried), key=frequency, default="")
            if frequency(best) > KNOWN:
                found.append((frequency(best), _cased(best, word)))
    best_found = max(found, default=(0.0, word))
    return best_found[1] if best_found[0] > SURER * known else word


def _cased(form: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return form.upper()
    return form[0].upper() + form[1:] if like[0].isupper() else form


_DETERMINERS = frozenset(
    "la l le les un une des ce cet cette ces son sa ses leur leurs nos notre vos votre chaque chacun chacune tous tout toute "
    "toutes partir travers cote côté quoi qui eux elle elles lui nous vous fort long grande grand nouveau plusieurs deux trois "
    "quatre terme date".split()
)
_SUBJECTS = frozenset("il elle on qui y n l’ ont en ne nous lui m t j s les".split())
_ADVERBS = frozenset(
    "pas ainsi également egalement aussi bien déjà deja toujours ensuite été ete eu fait permis mis pris donc".split()
)
_PARTICIPLE = re.compile(r"(?:é|ée|és|ées|i|ie|is|it|u|ue|us|ert|int|aint)$")
_INFINITIVE = re.compile(r"(?:er|ir|re|oir)$")


def _grammar(text: str) -> str:
    """`a` or `à`, `ou` or `où`, `la` or `là`, from the words around them."""

    def choose(match: re.Match[str]) -> str:
        before, after = match["before"].lower().strip("'’"), match["after"].lower()
        if before in _SUBJECTS and after not in ("partir", "travers"):
            return match.group()
        if after not in _DETERMINERS:
            if after in _ADVERBS or (_PARTICIPLE.search(after) and not _INFINITIVE.search(after)):
                return match.group()
        return f"{match['before']}{match['space']}à{match['gap']}{match['after']}"

    pattern = r"(?P<before>[\w’'»)]+)(?P<space>[ ,]+)a(?P<gap>\s+[«(]?\s*|\s(?=l['’]))(?P<after>[\w(]+)"
    text = _overlapping(re.compile(pattern), choose, text)
    text = re.sub(r"(?<=^)A (?=l['’]|la |l |partir|travers)", "À ", text)
    text = re.sub(r"(?<=[.!?]\s)A (?=l['’]|la |partir|travers|cette |chaque |ce )", "À ", text)
    text = re.sub(r"\b([Dd])es lors\b", r"\1ès lors", text)
    text = re.sub(r"\b([lL])a ou\b", r"\1à où", text)
    text = re.sub(r"(?<=[,;]\s)ou(?=\s(?:il|elle|ils|elles|on|chacun)\b)", "où", text)
    return re.sub(r"\bC['’]est la l['’]", "C’est là l’", text)


def _overlapping(pattern: re.Pattern[str], choose: Callable[[re.Match[str]], str], text: str) -> str:
    """Substitute, a match being allowed to begin in the word that ended the one before."""
    position = 0
    while match := pattern.search(text, position):
        new = choose(match)
        text = text[: match.start()] + new + text[match.end() :]
        position = match.start() + len(match["before"]) + 1
    return text


def join_lines(lines: Sequence[str]) -> str:
    """One paragraph from its lines: a word cut at a line's end is joined, a compound keeps its hyphen."""
    text = ""
    # Some typesetters write every hyphen as U+00AD: at a line's end it may cut a word, elsewhere it is a hyphen.
    for line in (stripped.replace("\u00ad", "-") for line in lines if (stripped := line.strip())):
        if not text:
            text = line
        elif re.search(r"\w-$", text) and line[:1].islower():
            text = _joined(text, line)
        elif re.search(r"https?\S*[/.\-_]$|h\w{2,4}[.:]//\S*[-/]$", text):
            text += line  # an address goes on
        else:
            text += " " + line
    return text


def _joined(text: str, line: str) -> str:
    end = re.search(r"([^\W\d_]+)-$", text)
    start = re.match(r"[^\W\d_]+", line)
    if not end or not start:
        return text + line
    whole = end.group(1) + start.group()
    if fold(end.group(1)) in PREFIXES and is_known(start.group()):
        return text + line
    if is_known(whole) or not (is_known(start.group()) and is_known(end.group(1))):
        return text[:-1] + line
    return text + line
