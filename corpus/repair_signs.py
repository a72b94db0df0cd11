"""Signs that OCR makes of letters and note calls: elisions, ordinals, `|l` for « Il », calls glued to words."""

from __future__ import annotations

import re

VOWELS = "aeiouyhàâéèêëîïôùûœAEIOUYHÀÂÉÈÊËÎÏÔÙÛŒ"
_VOWEL = f"[{VOWELS}]"
_RANKED = "[Ll]e|[Ll]a|[Ll]es|[Uu]n|[Uu]ne|[Cc]e|[Cc]ette|[Ss]on|[Ss]a|[Ll]eur|[Nn]otre|[Dd]e|[Dd]u|[Aa]u"
_CALL_SIGNS = "™®©"


def signs(text: str) -> str:
    """What has one right answer in any French text."""
    # The goals stop at 17: figures glued to it are a note's call.
    text = re.sub(r"\bODD 17\d{1,2}(?=\D|$)[°®™*]*", "ODD 17", text)
    text = re.sub(r"\b(\d{1,2})[°*º]*[™®]+[°*º™®]*(?:m?e\b)?(?=\s[a-zéA-Z])", r"\1e", text)
    text = re.sub(r"\b(\d{1,2})8me\b", r"\1e", text)  # « 15ème » whose è was read as 8
    text = re.sub(rf"(?<=[^\W\d_])['’\"?]*[{_CALL_SIGNS}]+[°*]?(?=\w)", " ", text)
    text = re.sub(rf"(?<=[^\W\d_])['’\"?]*[{_CALL_SIGNS}]+[°*]?", "", text)
    text = re.sub(r"€(?=é)", "", text)
    text = re.sub(r"(?<!\d)(?<!\d )€(?=[a-z]{2})", "é", text)
    text = re.sub(r"(?<![\w|])(?:[|1]l|ll|lI)(?=\s[a-zéèêà])", "Il", text)
    text = re.sub(r"(?<![\w|])(?:[|1l]ls|lIs)(?=\s)", "Ils", text)
    text = re.sub(r"(?<!\S)\|\s?(?=[aeu]s?\s)", "L", text)  # « | e Fonds »
    text = re.sub(r"\|(?=[a-zé]{2,}\s)", "", text)
    return re.sub(r"\\V?(?=oir\b)|\\i(?=oir\b)", "V", text)


def marks(text: str) -> str:
    """Calls without a sign of their own, and letters read as signs: only where OCR has done worse already."""
    # « le 17° objectif », but « 2° A la moitié… » and « aux 4° et 5° de l'article » are numbers of paragraphs.
    text = re.sub(rf"\b({_RANKED})\s(\d{{1,2}})[°*º]+(?:m?e\b)?(?=\s(?!de\b|du\b|et\b|ou\b)[a-zéA-Z])", r"\1 \2e", text)
    text = re.sub(r"(?<=\d{4})[°º*'’]+(?=[\s,.;)]|$)", "", text)
    text = re.sub(rf"(?<=[a-zé»)])\s?[*°º?]*[{_CALL_SIGNS}]+[°*º]*(?=[\s».,;:)]|$)", "", text)
    text = re.sub(r"(?<=[a-zé][a-zé»)])[*°º]+(?=[\s».,;:)]|$)", "", text)
    text = re.sub(r"(?<=[a-zé])\?(?=[.,;]|\s?»)", "", text)
    text = re.sub(r"(?<=[a-zé])\?(?=\s[a-zé]{2,}\s)", "", text)
    text = re.sub(r"(?<=»)\s?[’'\"”°*]?\d{1,2}(?=[\s.,;:)]|$)(?!\s?(?:%|€|ans|mois|pages))", "", text)
    text = re.sub(r"(?<=[a-zé])[’'][’'\"”]+(?=[\s».,;:)]|$)", "", text)
    if "“" not in text:
        text = re.sub(r"(?<=[a-zé])”(?=[.,;]|$)", "", text)
    if not re.search(r"(?:^|[\s(])[’'‘](?=[bcdfgjkmnpqrstvwxz])", text):  # no quotation between single signs
        text = re.sub(r"(?<=[a-zé])[’'](?=[.,;:)]|\s?»|$)", "", text)
    text = re.sub(r"(?<=\s)[’'](?=[)»])|(?<=\w)\s[’'](?=\))", "", text)
    text = re.sub(r"(?<=[a-z])\)?[J](?=[a-zé]{3,})", ")", text) if ")J" in text else text
    text = re.sub(r"(?<=[A-Za-zé])0(?=[a-zé]{2})", "o", text)
    text = re.sub(r"\bc[éeo]?6t[ée]\b", "côté", text)
    # « 16 à 25 ans » whose à was read as a figure: no age has five.
    text = re.sub(r"(?<!\d)(\d\d)[348](\d\d)\s?(?=ans\b)", r" \1 à \2 ", text)
    text = re.sub(r"(?<=[a-zé]{3}) ?(?<=[a-zé])de (?=\d\d à \d\d ans)", " de ", text)
    # « & » or « @ » before an article stands for « à ».
    text = re.sub(
        r"(?<=\s)[&@](?=\s(?:[lI|P]?[’']|la\b|ce\b|cette\b|ces\b|un\b|une\b|chaque\b|tous\b|leurs?\b))", "à", text
    )
    text = re.sub(r"(?<=\s)@(?=\s[a-zé])", "à", text)
    text = re.sub(r"(?<=\w),(?=[a-zéA-Z]{2,})", ", ", text)
    text = re.sub(r"(?<=[»%])(\)?)(?=[a-zé]{2,})", r"\1 ", text)
    text = re.sub(r"(?<=[a-zé]{3})\.(?=[A-ZÀÉ](?:[a-zé]+)?[\s’'])", ". ", text)
    text = re.sub(rf"(?<![\w’'.])([LDN]) (?=[{VOWELS.lower()}][a-zé]{{2,}})", r"\1'", text)
    return re.sub(r"\[\s?[a-z](?=vres?\b)", "Li", text)


def elisions(text: str, lost: bool) -> str:
    """`I'`, `['`, `P'`, `'` and `’'` for l' or L'. `lost`: whether the document is damaged enough for the ambiguous ones."""
    text = re.sub(r"(?<=\w)[’'][’'](?=\w)", "’", text)
    text = re.sub(r"(?<!\S)[’'][’'](?=[AEIOUÉÀaeiouéà])", "l’", text) if lost else text

    def article(match: re.Match[str]) -> str:
        before = text[: match.start()].rstrip("« (\u00a0")
        opens = not before or before[-1] in ".!?…\n" or before.endswith(("\n-", "\n- "))
        return ("L" if opens else "l") + "'"

    text = re.sub(rf"(?<![\w’'])[I|P\[][’'](?={_VOWEL})", article, text)
    text = re.sub(r"(?<![\w’'])\[[’'](?=n[a-z]{5,})", "L'i", text)
    quoted = re.search(r"\w[’'](?=[\s.,;)]|$)", text) is not None and not lost
    if not quoted:
        least = 0 if lost else 3
        text = re.sub(
            rf"(?:(?<=[\s(«/])|^)[’'](?={_VOWEL}[\w-]{{{least},}}(?![’']))(?!(?:on|est|une?|il|elle|a|y)[’'])",
            article,
            text,
        )
    text = re.sub(r"\bgu[’'](?=\w)", "qu’", text)
    return re.sub(r"gu(?=[’']\w)", "qu", text)
