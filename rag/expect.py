"""What a question expects: a number, a date, a person, a list, a definition…, read from its words (Li & Roth, "Learning
Question Classifiers", COLING 2002, reduced to what changes the choice of sentences)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.lexical import fold, last_part, stem, token_set

Want = Literal[
    "number", "percent", "money", "duration", "date", "person", "url", "list", "definition", "reason", "how", "compare",
    "frequency", "purpose", "condition",
]  # fmt: skip

SHARP: frozenset[Want] = frozenset(
    {"number", "percent", "money", "duration", "date", "url", "frequency"}
)  # what is there or isn't

NUMBER_WORDS = {
    "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9, "dix": 10, "onze": 11,
    "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16, "vingt": 20,
}  # fmt: skip

NUMBER_TOKENS = frozenset(map(stem, NUMBER_WORDS))
SPELLED = {n: stem(word) for word, n in NUMBER_WORDS.items()}

_WHICH_PLACE = r"\b(?:a|en) quelle (?:place|position)\b(?! publique)"
_RULES: tuple[tuple[str, Want], ...] = (
    (
        rf"\bcombien\b|\bnombre d|{_WHICH_PLACE}|\bquel(?:le)?s? (?:est |sont )?(?:le |la |l'|les )?(?:nombre|chiffre|montant|effectif|part|proportion|ratio|maximum|minimum|plafond|seuil|total|score|rang|age|tranche d'age|taille|surface|superficie|distance|vitesse)s?\b",
        "number",
    ),
    (r"\btaux\b|pourcent|\bpour cent\b|%|\bproportion\b|\bquel(?:le part|s? poids)\b|\bratios?\b", "percent"),
    (
        r"\bbudget|\btarifs?\b|\bcout(?:s|e|er|ent|ait|aient|era)?\b|\bmontant|\bdotation|\beuros?\b|€|\bprix\b|\bsalaire|\bremunerations?\b|"
        r"\bcombien.{0,25}\b(?:gagn|rapport|touch|remuner|payee?s?\b)|\b(?:gagne|rapporte|touche)(?:nt)? combien|\bsomme\b|\bmillions?\b",
        "money",
    ),
    (
        r"combien de temps|\bvolume horaire|\bduree|\bdure\b|\bdurent\b|combien d(?:'annees|e (?:jours|mois|semaines|heures|minutes))|\bdepuis combien",
        "duration",
    ),
    (r"\bfrequence\b|\bcombien de fois\b|\btous les combien\b|\bperiodicite\b|\bquel rythme\b", "frequency"),
    (
        r"\bquelles? dates?\b|\bquelles? annees?\b|\bdate\b|\bquels? mois\b|(?<!chaque )\bannee\b|\bquelle (?:periode|epoque)\b",
        "date",
    ),
    (
        r"(?:^|[,:;?.] |\b(?:par|avec|pour|a|de|chez|et|savoir|dire) )qui\b(?! (?:est|sont) (?:concern|prevu))|\bqui (?:est-ce|a-t-|sont-ils|est-il)|(?<!selon les )(?<!apres les )(?<!selon l')(?<!apres l')\bauteurs?\b|\bquel organisme|\bquelle (?:structure|organisation|institution|ministre|fondation)|\bdirige(?:nt|e|es|a|ait)?\b|\bc'est qui\b|\bsous la direction",
        "person",
    ),
    (r"\blien\b|\burl\b|\badresse\b|\bsite\b|\bou trouver|\btelecharger|\bou (?:lire|consulter)\b|\bweb\b", "url"),
    (
        r"\bdifference|\bcompar|\bdistingu|\bpar rapport a\b|\bversus\b|\bou bien\b|\bplutot que\b|\bdiffer(?:e|ent)\b|\bmeme chose\b|\bpareil(?:le)?s?\b|\bidentique|\bconfond",
        "compare",
    ),
    (
        r"qu'est[- ]ce qu|\bc'est qu(?:oi|i|el(?:le)? (?:genre|type|sorte))\b|\bc koi\b|\bc quoi\b|\bdefini|\bque (?:signifie|veut dire|designe)|\bsignification|\bca veut dire\b|\bsens de\b|\bqu'entend|\bsignifie|\bqu'appelle|(?:correspond|renvoie|refere) a quoi|\bdi(?:t|sent) quoi\b|\bc'est-a-dire|\bdesigne|\brecouvre|\ben quoi consist|\bkesako\b|(?:^|\bvous |\btu )(?:(?:me|nous) )?presente[rz]?(?:-(?:moi|nous))? (?:l[ae']|un)",
        "definition",
    ),
    (r"\bpourquoi\b|\bpour quel(?:le)?s? (?:raison|motif|cause)s?\b|\braisons?\b|\bcauses?\b", "reason"),
    (
        r"\ba quoi (?:ca |cela )?ser(?:t|ve|vent)\b|\bdans quel but\b|\bpour quoi faire\b|\bquel(?:le)?s? (?:est|sont|etait|etaient) (?:les?|la|l'|son|sa|ses|leurs?) ?(?:but|objectif|mission|role|vocation|finalite|utilite)s?\b|"
        r"\b(?:fait|font) quoi\b|^que (?:fait|font)\b|\bque font-|\bque fait-|"
        r"\bpourquoi\b.*\b(?:cree|lance|fonde|institue|mis en place)e?s?\b",
        "purpose",
    ),
    (r"\b(?:a|sous) quelles? conditions?\b|\bque faut-il (?:pour|a)\b", "condition"),
    (
        r"\bcomment\b(?! (?:s'|se )(?:appel|intitul|nomm))|\bde quelle (?:facon|maniere)|\bpar quel moyen|\bque faire\b|\bquelles? (?:est (?:la|votre|leur) |sont (?:les|vos|leurs) )?methodes?\b",
        "how",
    ),
)
_LIST = re.compile(
    r"\bquel(?:le)?s (?:sont|etaient|ont)\b|\bquel(?:le)?s\b(?! (?:est|etait))|\blist|\benumer|\bcite[rz]?\b|\blesquel|"
    r"\bnomme[rz]?\b|(?<!est-ce que )\btou(?:s|tes) les\b(?! (?:combien|ans|mois|jours))|\bquels\b|\bles etapes|\bque permet|\ba quoi (?:peut|sert|servent)"
)
_YES_OR_NO = re.compile(
    r"(?<!qu')\best-ce qu|\b(?:peut|doit|peuvent|doivent|pouvons|devons|faut|puis)-(?:t-)?(?:on|il|elle|ils|elles|nous|je)\b"
)
_ASKS_ELSE = re.compile(r"\b(?:pourquoi|comment|combien|quel(?:le)?s?|lesquel(?:le)?s|que)\b")
_COUNTED = re.compile(
    r"(?<!entre )(?<!tous )(?<!en plus )(?<!outre )(?<!a part )(?<!hormis )(?<!hors )\b(?:les|des|ces|en|aux|quel(?:le)?s) (?:sont les )?(\d{1,2}|"
    + "|".join(NUMBER_WORDS)
    + r")\b(?! (?:ans|mois|%))"
)


DRAWN = re.compile(  # what a question points to on a page; « tableau de bord » and the like are things
    r"\b(?:schemas?(?! (?:directeur|de cohe))|matrices?|tableaux?(?! de bord)|dessins?|encadres?|legendes?|colonnes?|diagrammes?|infographies?|"
    r"graphiques?)\b"
)


@dataclass(frozen=True)
class Expectation:
    wants: frozenset[Want]
    count: int | None = None  # of a list: « les quatre leviers » → 4
    drawn: bool = False  # asks of a table or a drawing: « dans le tableau… »
    told: frozenset[str] = frozenset()  # index tokens of the answer that a follow-up leans on


def _wants(folded: str) -> set[Want]:
    wants = {want for pattern, want in _RULES if re.search(pattern, folded)}
    return wants | {"date"} if any(_asks_when(folded, found) for found in _WHEN.finditer(folded)) else wants


_WHEN = re.compile(r"\bquand\b")
_BEFORE_WHEN = re.compile(r"(?:^|[?.!:;,(]|\b(?:et|ou|mais|alors|depuis|jusqu'a|de|pour|c'est|a partir de))\s*$")
_SUBJECT = re.compile(
    r"\s*(?:on|je|j'|tu|ils?|elles?|nous|vous|un|une|les?|la|l'|des|du|cet?|cette|ces|c'est|mon|ma|mes|notre|nos|son|sa|ses|leurs?|"
    r"meme|plusieurs|aucune?)\b"
)
_ANOTHER_ASKS = re.compile(r",.*\b(?:quel(?:le)?s?|comment|combien|pourquoi|que|qu'|qui|ou|est-ce)\b")


def _asks_when(folded: str, found: re.Match[str]) -> bool:
    """Whether « quand » asks for a date: « c'est prévu quand », not « quel mode choisir quand on est une PME »."""
    before, after = folded[: found.start()], folded[found.end() :]
    if _BEFORE_WHEN.search(before):
        return not (_SUBJECT.match(after) and _ANOTHER_ASKS.search(after))
    return not _SUBJECT.match(after)


def counted(folded: str) -> int | None:
    """How many things a folded question speaks of: « les 3 avancées »."""
    found = _COUNTED.search(folded)
    if found is None:
        return None
    return int(found.group(1)) if found.group(1).isdigit() else NUMBER_WORDS[found.group(1)]


def expect(question: str) -> Expectation:
    folded = fold(question)
    tail = last_part(folded)  # « Livre blanc « L'innovation associative » : qui l'a publié ? »
    asked = tail if _wants(tail) or _LIST.search(tail) else folded
    wants = _wants(asked)
    count = counted(folded)
    asks_amount = wants & {"number", "duration", "date", "percent", "money"} and not re.search(
        r"\bquel(?:le)?s sont\b", asked
    )
    listed = count and count > 1 and (not _YES_OR_NO.search(asked) or _ASKS_ELSE.search(asked))
    if (_LIST.search(asked) or listed) and not ("number" in wants and "combien" in asked):
        if not asks_amount or count or re.search(r"\blist|\bquel(?:le)?s (?:sont|programmes|etapes)", asked):
            wants.add("list")
    if "duration" in wants:
        wants.discard("number")
    return Expectation(frozenset(wants), count, bool(DRAWN.search(folded)))


MONTHS = "janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre"
_SPELLED = "|".join(NUMBER_WORDS)
_EVIDENCE: dict[Want, re.Pattern[str]] = {
    "number": re.compile(rf"\d|\b(?:{_SPELLED}|trente|quarante|cinquante|soixante|cent|mille|cinquantaine|vingtaine|trentaine|quarantaine|centaine|dizaine|douzaine|millier|million|moitie|tiers|double|triple)\b"),
    "percent": re.compile(r"\d\s*%|\bpour cent\b|\btiers\b|\bmoitie\b|\bquart\b"),
    "money": re.compile(r"\d\s*(?:€|m€|k€|euros?|millions?)|\beuros?\b"),
    "duration": re.compile(rf"\b(?:\d+|{_SPELLED}|une?)\s+(?:ans?|annees?|mois|jours?|heures?|min(?:utes?)?|semaines?|(?:demi-)?journees?|trimestres?|semestres?|decennies?|siecles?)\b|(?:demi-)journees?\b|\b\d+\s*h\b|\bdecennies?\b|\bquinquennal|\b(?:19|20)\d\d ?[-–] ?(?:(?:19|20)\d\d)\b|\b(?:de|entre) (?:[a-z]+ )?(?:19|20)\d\d (?:a|et) (?:[a-z]+ )?(?:19|20)\d\d\b"),
    "date": re.compile(rf"\b(?:1[89]|20)\d\d\b|\b(?:{MONTHS})\b|\bprintemps\b|\bautomne\b"),
    "url": re.compile(r"https?://|www\.|\.(?:fr|org|com|net)\b|\S@\S"),
    "frequency": re.compile(
        r"\b(?:fois|reunions?|seances?) (?:par|tou(?:s|tes) les|chaque)\b|\bchaque (?:annee|mois|semaine|trimestre|semestre|jour)\b|\bpar (?:an|mois|semaine|trimestre|semestre|jour)\b|"
        r"\btou(?:s|tes) les (?:\w+ )?(?:ans|mois|jours|semaines|trimestres|semestres|annees)\b|\b(?:annuel|semestriel|trimestriel|mensuel|hebdomadaire|quotidien|bimestriel|biannuel|bisannuel)|"
        r"\b(?:annuelle|mensuelle|trimestrielle|semestrielle|quotidienne)"
    ),
    "definition": re.compile(r"\b(?:est|sont|designe|designent|correspond|correspondent|signifie|se definit|consiste|caracterise|constitue|appelle|definie?s?|c'est-a-dire|fait reference)\b|\s:\s"),
    "reason": re.compile(r"\b(?:car|parce|puisque|afin|permet|permettent|explique|expliquent|raison|pour)\b"),
    "purpose": re.compile(
        r"\b(?:pour|comme|a (?:une|deux|trois|quatre|cinq|six|sept|plusieurs)) (?:mission|but|objectif|vocation|role|finalite|fonction|ambition)s?\b|\bvis(?:e|ent|ait|aient|ant) (?:a\b|notamment|ainsi|aussi)|\b(?:sert|servent|servait) (?:a|de)\b|\bafin (?:de\b|d')|"
        r"\bpermet(?:tent|tait|tre|tant)?\b|\bdestinee?s? a\b|\b(?:but|objectif|ambition|mission|role|fonction|finalite|vocation|raison d'etre)s?\b.{0,40}\b(?:est|sont|etait) (?:de\b|d')"
    ),
    "condition": re.compile(r"\bdoi(?:t|vent)\b|\b(?:a|sous) (?:la )?conditions?\b|\bil faut\b|\bsuppose|\bnecessit|\bpossible que si\b|\bpour (?:etre|devenir)\b|\bcondition"),
    "how": re.compile(r"\b(?:en \w+ant|grace|permet|permettent|a travers|au travers|par|afin|etapes?)\b"),
    "compare": re.compile(r"\b(?:tandis|alors que|contrairement|difference|differencie|ajoute|plutot|mais|moins|plus|seulement|quand|inverse|contraire|oppos\w+|distinct\w*|distingue\w*|differ\w+|en revanche|quant a)\b"),
}  # fmt: skip
_ASKS_RANK = re.compile(rf"\bquel (?:est (?:le|son|leur) )?rang\b|{_WHICH_PLACE}|\bquel classement\b")
_RANKED = re.compile(
    r"\b(?:\d{1,3} ?(?:er?|ere|eme|nde?)|[a-z]+ieme|premiere?|seconde?|derniere?) (?:rang|place|position|mondiale?|sur|au|des|parmi)\b|"
    r"\b(?:rang|classee?s?|place) (?:au |le |la |en |a la )?(?:\d|[a-z]+ieme\b|premier|second|dernier)"
)
_SHORT_UNIT = re.compile(r"\bcombien de (minute|heure|jour)s\b")  # « 6 mois » doesn't tell how many minutes
_URL = re.compile(r"\S*(?:://|www\.)\S+")
_AGE = re.compile(
    r"\b(?:jeunes|enfants|personnes|adultes|habitants|salaries|agee?s?)\b(?: (?:de|ont|entre|\w+))? \d+(?: ?(?:a|et|-|–) ?\d+)? ans\b"
)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_SECTION = re.compile(r"^(?:- )?(?:\d{1,2}\.)+\d{0,2}\s")  # of a line: it counts nothing
_YEAR = re.compile(r"(?<![\d,.])(?:19\d\d|20[0-5]\d)(?![\d%]|[,.]\d|\s[a-z]+s\b)")
_NAME = re.compile(
    r"(?<![.!?:»]\s)(?<!^)\b[A-ZÉÈÀÂÎÔÛ][\w’'-]+(?:\s+(?:de|du|des|la|le|l'|pour|&|et)?\s*[A-ZÉÈÀÂÎÔÛ][\w’'-]*)*|\b[A-Z]{3,}\b"
)


def holds(want: Want, sentence: str, question: str = "") -> bool:
    """Whether a sentence holds the kind of thing that is wanted (a number for « combien », a year for « quand »…). A number
    that the question gives (« l'Agenda 2030 ») isn't what it asks for, nor is a year where things are counted."""
    if want == "person":
        asked = token_set(question)
        return any(not token_set(name) <= asked for name in _NAME.findall(sentence))
    pattern = _EVIDENCE.get(want)
    if pattern is None:
        return False
    folded = _SECTION.sub("", fold(sentence))
    if want != "url":
        folded = _URL.sub(" ", folded)
    if want in SHARP and want != "url" and (given := _NUMBER.findall(question)):
        folded = re.sub(rf"(?<![\d,.])(?:{'|'.join(map(re.escape, given))})(?![\d%]|[,.]\d)", " ", folded)
    if want == "duration":
        folded = _AGE.sub(" ", folded)
    if want == "number" and _ASKS_RANK.search(fold(question)):
        return bool(_RANKED.search(folded))
    if want == "number":
        folded = _YEAR.sub(" ", folded)
    if want == "duration" and (unit := _SHORT_UNIT.search(fold(question))):
        return bool(re.search(rf"\d ?(?:{unit[1][:3]}|h\b)|\b(?:{_SPELLED}|une?) (?:demi-)?{unit[1][:3]}", folded))
    return bool(pattern.search(folded))
