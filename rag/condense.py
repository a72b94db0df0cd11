"""A follow-up becomes a standalone question, without a language model: ellipsis, pronouns, ordinals, « et pour… ? »."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answer import Turn
from rag.guard import small_talk, without_politeness
from rag.lexical import STOP_WORDS, fold, telling_words, titles_whole, token_set, words
from rag.spans import span

_OPENS = re.compile(r"^(?:et|mais|ou|donc|alors|ok|oui|non)\b[ ,]*(?:alors\b[ ,]*)?", re.IGNORECASE)
_ELLIPSIS = re.compile(
    r"^(?:et|mais)\b|^(?:pourquoi|comment|combien|quand|ou|depuis quand|lesquels?|lesquelles?|laquelle|lequel|qui|par qui|"
    r"avec qui|c'est-a-dire|par exemple|un exemple|des exemples?|encore|plus de details?|vraiment|ah bon|dans quel but|pour quoi faire)[ ?!.]*$"
)
SHORT = 5  # words of « par quel levier surtout ? »
_BARE = re.compile(
    r"^(?:par|avec|pour|dans|en|a|de|sur|sous|chez|vers) qu(?:el|elle|els|elles|i|oi)\b(?!.*\b(?:est|sont|a|ont|fut|sera)\b)"
)
# « avec les lycées, c'est possible ? », « même pour deux étoiles ? »
_ALSO = re.compile(
    r"^(?:(?:et|meme|aussi|surtout|seulement)\b[ ,]*)*(?:avec|pour|dans|chez|sur|en|aux?|sans) (?!qu|combien).{3,60}\b(?:c'est (?:possible|pareil|bon|le cas)|aussi|pareil)[ ?!.]*$"
)
_ANAPHORA = re.compile(
    r"\b(?:il|elle|ils|elles|celui|celle|ceux|celles|celui-ci|celle-ci|ca|cela|cette derniere|ce dernier|ces derniers|"
    r"(?<!pour )(?<!dans )(?:lequel|laquelle|lesquel(?:le)?s)|l'a|l'ont|l'est|les a|en (?:est|sont|a|ont|existe|compte)|y (?:a-t-il|participe)|lui|leur|son|sa|ses|leurs|"
    r"(?:le|la) (?:premier|premiere|deuxieme|second|seconde|troisieme|quatrieme|cinquieme|sixieme|septieme|dernier|derniere|suivante?|precedente?)|"
    r"(?:ce|cet|cette|ces) \w+|d'autres?|l'autre|les autres|la-?dedans|la-?dessus|c'est pareil|(?:ca|cela) vaut aussi|"
    r"(?:peut|peux|peuvent|pouvons|pouvez|doit|dois|doivent|devons|devez|faut|veut|veux|voulons|va|vais|vont|allons|fait)(?:-on|-il)? (?:le|la|les|l'|y|en) ?(?=[a-z]+(?:er|ir|re|oir)\b))\b|-(?:il|elle|ils|elles|t-il|t-elle)\b"
)
# « et les inventions, elles sont plutôt du côté des processus ou des produits ? »: its pronoun stands for what it names itself
_NAMED_AGAIN = re.compile(
    r"^(?:(?:et|mais|ok|alors|donc)\b[ ,.]*)*(?:les?|la|l'|un|une) ?[a-z][\w' -]{3,40}, (?:elles?|ils?|c'est|ca|cela)\b"
)
ANAPHORIC = 6  # content words of a question whose pronoun stands for something said before
NAMES_ENOUGH = 4  # content words of such a question
_IMPERSONAL = re.compile(
    r"\b(?:il (?:y a|faut|existe|s'agit|est (?:possible|necessaire|utile))|y a-t-il|existe-t-il|faut-il|s'agit-il|est-il (?:possible|necessaire|utile)|qu'est-ce|est-ce|ce que|ce qui|c'est)\b"
)
_ORDINALS = {
    "premier": 1,
    "premiere": 1,
    "deuxieme": 2,
    "second": 2,
    "seconde": 2,
    "troisieme": 3,
    "quatrieme": 4,
    "cinquieme": 5,
    "sixieme": 6,
    "septieme": 7,
}
_INVERTED = re.compile(  # « les associations trouvent-elles… »: the pronoun is its subject's
    r"\b(?:les?|la|l'|une?|des|nos|notre|vos|votre|chaque|plusieurs) ?"
    rf"(?!{'|'.join(_ORDINALS)}|derni|suivant|precedent|autre)[a-z]{{3,}}\b(?: [a-z'&-]+){{0,8}}? [a-z']+-(?:t-)?(?:il|elle)s?\b"
)
_DETAIL = re.compile(
    r"\b(?:detaille|developpe|explique|precise|en dire plus|dis-m'en plus|plus de detail|en savoir plus|continue|approfondi)\w*"
)


@span
def condense(question: str, history: Sequence[Turn], implied: bool = True) -> str:
    """The question with what it takes from the conversation; unchanged where it stands by itself. `implied`: one of few words
    goes on with what was asked before, though it doesn't say so (« quels sont les délais ? »)."""
    current = _ANOTHER.sub("", without_politeness(question.strip()))
    asked = [without_politeness(t.content) for t in history if t.role == "user" and not small_talk(t.content)]
    if not asked or not (leans(current) or (implied and _says_little(current))):
        return current
    if (again := _another_number(current, asked[-1])) is not None:
        return condense(again, [Turn(role="user", content=content) for content in asked[:-1]])
    topic = _topic(asked)
    core = _OPENS.sub("", current).strip()
    parallel = _substitute(topic, current)
    if parallel:
        return parallel
    said = [t.content for t in history if t.role == "assistant"]
    ordinal = _ordinal(core, said)
    return f"{topic.rstrip(' ?!.')} : {ordinal or core}"


def answered_before(question: str, history: Sequence[Turn]) -> frozenset[str]:
    """Index tokens of what was last answered to a question that leans on it: saying it again would answer nothing."""
    last = next((turn.content for turn in reversed(history) if turn.role == "assistant"), "")
    return token_set(_CALLS.sub("", last)) if last and leans(without_politeness(question.strip())) else frozenset()


def settled(standalone: str) -> frozenset[str]:
    """Folded words of a rewritten follow-up by which the question before it asked for a figure, a date or a person (« Quel est le
    *taux de pratique* du mécénat : qu'en retire-t-on ? »): that was answered, something else of the same thing is asked."""
    before, colon, _ = titles_whole(standalone).partition(" : ")
    folded = fold(before)
    opening = _ASKED_FIGURE.search(folded) if colon else None
    if opening is None:
        return frozenset()
    referent = _REFERENT.search(folded, opening.end())
    own = folded[opening.end() : referent.start()] if referent else ""
    done = _DONE.search(folded)
    return frozenset(words(f"{own} {done.group(1) if done else ''}")) - STOP_WORDS


_ASKED_FIGURE = re.compile(
    r"\b(?:quel(?:le)?s?(?: (?:est|etait|sont))?(?: (?:les?|la)\b| l')?|combien|quand|qui|en quelle annee|depuis quand|a quelle date|ou)\b"
)
_REFERENT = re.compile(r"\b(?:du|de la|des|de l'|d'une?|de ce\w*|les?|la|un|une)\b|\bl'")
_DONE = re.compile(r"(?:-t)?-(?:il|elle|ils|elles) (?:ete )?(\w+)$")
_BARE_NUMBER = re.compile(
    r"^(?:et|mais)\b[ ,]*(?:alors[ ,]*)?(?:pour |avec |à |en )?(?:les? |la )?(\d+)(?: \w+)?[ ?!.]*$", re.IGNORECASE
)


def _another_number(follow_up: str, before: str) -> str | None:
    """« Et pour avoir 4 étoiles ? » then « et 5 ? » → « Et pour avoir 5 étoiles ? »."""
    match = _BARE_NUMBER.match(follow_up)
    found = list(re.finditer(r"\b\d+\b", before)) if match else []
    return None if not match or not found else before[: found[-1].start()] + match.group(1) + before[found[-1].end() :]


def leans(question: str) -> bool:
    """Whether a question can't be understood alone."""
    folded = fold(question).strip()
    if _NAMED_AGAIN.match(folded) and len([w for w in words(folded) if w not in STOP_WORDS]) >= NAMES_ENOUGH:
        return False
    if _ELLIPSIS.search(folded) or _DETAIL.search(folded):
        return True
    if _ALSO.search(folded):
        return True
    if _BARE.search(folded) and len(folded.split()) <= SHORT:
        return True
    content = [w for w in words(folded) if w not in STOP_WORDS]
    if _ANAPHORA.search(_INVERTED.sub(" ", _IMPERSONAL.sub(" ", folded))):
        return len(content) <= ANAPHORIC
    return len(content) <= 1 and not re.search(r"\b(?:odd|rse|ess|fdva)\b", folded)


def _says_little(question: str) -> bool:
    """Whether a question has too few words of its own to say what it is about, and no name (« quels sont les délais ? »)."""
    named = _NAMED.search(question) or _OF_WHAT.search(fold(question))
    return len(telling_words(question)) <= LITTLE and not named


LITTLE = 3  # content words of a question that may go on with what was asked before
_NAMED = re.compile(r"(?<!^)(?<![.?!:]\s)\b[A-ZÉÈÀÂÎÔÛ][\w-]+|[«\"“]")
_OF_WHAT = re.compile(r"\b(?:c'est quoi|qu'est[- ]ce qu|que (?:signifie|designe)|definition|qui (?:est|sont))\b")
_ANOTHER = re.compile(  # « et sinon, … »: another subject, most often
    r"^(?:(?:et|mais|ok|bon|alors|ah|oui)\b[ ,]*)*(?:sinon|(?:une )?autre (?:question|chose|sujet)|rien a voir(?: mais)?|par ailleurs|au fait)\b[ ,:;.…-]*",
    re.IGNORECASE,
)

LAST_TURNS = 4  # of the conversation, that a follow-up may refer to
TURN_CHARACTERS = 600  # of each
LONGEST = 45  # words of a rewritten question
KEPT = 0.7  # share of the follow-up's own words that a rewriting must keep


def conversation(question: str, history: Sequence[Turn]) -> str:
    """The last turns and the follow-up, as data for a model that rewrites it."""
    names = {"user": "Visiteur", "assistant": "Assistant"}
    turns = (f"{names[t.role]} : {' '.join(t.content.split())[:TURN_CHARACTERS]}" for t in history[-LAST_TURNS:])
    return "\n".join(["<conversation>", *turns, "</conversation>", "<question>", question, "</question>"])


def faithful(rewritten: str, question: str, history: Sequence[Turn]) -> bool:
    """Whether a rewritten follow-up says nothing that the conversation didn't, and keeps what the follow-up said."""
    said, own = token_set(rewritten), token_set(question)
    known = own.union(*(token_set(turn.content) for turn in history[-LAST_TURNS:]))
    if not said or len(rewritten.split()) > LONGEST or small_talk(rewritten) or leans(rewritten):
        return False
    return said <= known and len(own & said) >= KEPT * len(own)


def _topic(asked: Sequence[str]) -> str:
    """The last question that stood by itself, with what later ones changed in it."""
    topic = ""
    for question in asked:
        topic = (
            question
            if not topic or not (leans(question) or _says_little(question))
            else (_substitute(topic, question) or topic)
        )
    return topic


_ET = re.compile(
    r"^(?:et|mais)\b[ ,]*(?:alors[ ,]*)?(?P<preposition>(?:pour|en|dans|avec|chez|à|au|aux|sur|de|du|des|par)\b)?\s*"
    r"(?P<thing>(?:les?|la|l['’]|une?|des|du|celle?s?|ceux)?\s*.+?)(?:\s+alors)?[ ?!.]*$",
    re.IGNORECASE,
)
_INFINITIVE = re.compile(
    r"(?:l['’]|les? |la |s['’]|se |en |y )?\w{2,}(?:er|ir|oir|re)\b", re.IGNORECASE
)  # « et pour avoir 4 étoiles ? »
_PARALLEL = {
    "pour": r"\bpour\b.*?(?=[?,]|$)",
    "en": r"\ben (?=[A-ZÉÈ]).*?(?=[?,]|$)",
    "dans": r"\bdans\b.*?(?=[?,]|$)",
    "avec": r"\bavec\b.*?(?=[?,]|$)",
}
_DETERMINED = re.compile(r"(?:les?|la|une?|des|cet|cette|ces|ce|notre|nos) |l['’]", re.IGNORECASE)
_HEADED = re.compile(  # « Que fait l'élu référent dans… ? »: what « et le chef de projet ? » stands for
    r"^(?P<head>(?:que (?:fait|font|fera|feront|doit faire|doivent faire|propose|proposent|permet|permettent)|combien (?:coûte|coûtent|dure|durent)|"
    r"comment (?:fonctionne|fonctionnent|marche|marchent)|qui (?:est|sont|finance|pilote|porte|dirige|préside|anime|(?:a|ont) \w+)|(?:quand|comment|où|pourquoi)(?= .* (?:a|ont|est|sont|sera|seront)-(?:t-)?(?:il|elle)))\s+)"
    r"(?P<thing>(?:(?:les?|la|une?|des|cet|cette|ces|ce|notre|nos) |l['’])[^,]+?)(?P<within>\s(?:dans|selon|d['’]après|au sein|chez|pour|en|avec|(?:a|ont|est|sont|sera|seront)-(?:t-)?(?:il|elle)s?)\b.*?)?[ ?!.]*$",
    re.IGNORECASE,
)
_DEFINES = re.compile(
    r"^(?P<head>.*?(?:c['’]est quoi|qu['’]est[- ]ce qu(?:e|['’]) ?(?:que|qu['’])?|que (?:signifie(?:nt)?|désigne(?:nt)?|sont)|qu['’]est|qui (?:est|sont)|à quoi sert|définition d(?:e|['’]))\s*)"
    r"(?P<thing>.+?)(?P<within>\s(?:dans|selon|d['’]après|au sein|chez|pour)\s.+?)?[ ?!.]*$",
    re.IGNORECASE,
)


def _substitute(topic: str, follow_up: str) -> str | None:
    """« C'est quoi un projet d'optimisation ? » + « Et une invention alors ? » → « C'est quoi une invention ? »."""
    match = _ET.match(follow_up.strip())
    if (
        not match
        or (match["preposition"] and _INFINITIVE.match(match["thing"]))
        or len(match["thing"].split()) > 7
        or re.match(
            r"(?:si|que|qu['’]\w+)\b|celu?i?|celle|ceux|ça|cela|quand|combien|qui|comment|pourquoi|quel|c['’]est|la suite|(?:en|par la )?suite|apr[eè]s",
            match["thing"],
            re.IGNORECASE,
        )
    ):
        return None
    preposition = (match["preposition"] or "").lower()
    thing = match["thing"].strip()
    if preposition in _PARALLEL:
        pattern = re.compile(_PARALLEL[preposition], re.IGNORECASE if preposition != "en" else 0)
        replacement = f"{match['preposition']} {thing}"
        if pattern.search(topic):
            return (
                pattern.sub(replacement.lower() if preposition != "en" else replacement, topic, count=1).rstrip(" ?")
                + " ?"
            )
        return f"{topic.rstrip(' ?!.')} {replacement.lower() if preposition != 'en' else replacement} ?"
    defines = _DEFINES.match(topic) or (_DETERMINED.match(thing) and _HEADED.match(topic))
    if defines and not preposition:
        return f"{defines['head']}{thing}{defines['within'] or ''} ?"
    return None


_NUMBERED = re.compile(
    rf"^(?:{'|'.join(_ORDINALS)}|deuxième|troisième|quatrième|cinquième|sixième|septième|première)\s\w+\s:\s",
    re.IGNORECASE,
)
_NTH = re.compile(r"\bl[ae] (" + "|".join(_ORDINALS) + r")\b(?: (?:des|de ces|d'entre) \w+)?")
_CALLS = re.compile(r"\[\d+\]")
_ANNOUNCES = re.compile(r"\s:\s|:\s|\b(?:sont|distingue|comprend|regroupe)\b")
_ASKS = frozenset("qui que quoi ou quand comment combien pourquoi".split())
ITEM_WORDS = 12  # of an item, that name it


def _ordinal(core: str, answers: Sequence[str]) -> str | None:
    """« et la deuxième ? » → the second item of the latest list that was answered, with what is asked of it:
    « la première, qui s'en charge ? »."""
    folded = fold(core)
    found = _NTH.search(folded)
    if not found:
        return None
    number = _ORDINALS[found.group(1)]
    lists = [find(said) for find in (_bulleted, _enumerated) for said in reversed(answers)]
    items = next((items for items in lists if len(items) >= max(2, number)), None)
    if items is None:
        return None
    item = " ".join(_NUMBERED.sub("", items[number - 1], count=1).split()[:ITEM_WORDS]).rstrip(" .;")
    rest = words(folded[: found.start()] + folded[found.end() :])
    asks = any(word in _ASKS or word not in STOP_WORDS for word in rest)
    return core[: found.start()] + item + core[found.end() :] if asks and len(folded) == len(core) else item


def _bulleted(said: str) -> list[str]:
    return re.findall(r"^\s*(?:[-•*]|\d+[.)])\s+(.+)$", _CALLS.sub("", said), re.MULTILINE)


def _enumerated(said: str) -> list[str]:
    """The items of a sentence: « Trois phases : la recherche, la qualification et le déploiement »."""
    announced = _ANNOUNCES.split(_CALLS.sub("", said), maxsplit=1)
    if len(announced) < 2:
        return []
    parts = re.split(r"[;,]|\bet\b", announced[1])
    return [re.sub(r"^puis\s+", "", part.strip(" .;")) for part in parts if part.strip(" .;")]
