"""What chat front ends ask of a model for themselves: a title, tags, search queries about a conversation.

Open WebUI and LibreChat send these as questions, after each answer. They aren't questions to the corpus: they are
recognised by the form of their prompts, which quote the conversation, and answered from the visitor's own words, at once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from rag.lexical import STOP_WORDS, fold

TITLE = 60  # characters of a title
TAGS = 3
_TASK = re.compile(r"\s*#{1,4} ?Task\b", re.I)
_HISTORY = re.compile(r"<chat_history>(.*)</chat_history>", re.S)
_SPEAKER = re.compile(r"^\s*(USER|User|Human|ASSISTANT|Assistant|AI) ?:", re.M)
_FIELD = re.compile(r'"(title|tags|follow_ups|queries|text|summary)"\s*:')
_PLAIN_TITLE = re.compile(r"\btitle\b[^.\n]{0,60}\bconversation\b", re.I)  # LibreChat, which wants bare text


def chore(asked: str) -> str | None:
    """The answer to a front end's own request, as JSON or a bare title; None where a visitor asks something."""
    quoted = _HISTORY.search(asked)
    if quoted and _TASK.match(asked):
        question = _last_question(quoted[1])
        found = _FIELD.search(asked[: quoted.start()])
        if found is None:
            return _title(question)
        return json.dumps({found[1]: _FILLED[found[1]](question)}, ensure_ascii=False)
    if _PLAIN_TITLE.search(asked) and (question := _last_question(asked)):
        return _title(question)
    return None


def _last_question(conversation: str) -> str:
    """What the visitor said last in a conversation written out as « USER: … »."""
    parts = _SPEAKER.split(conversation)[1:]  # who, what, who, what…
    said = [" ".join(what.split()) for who, what in zip(parts[::2], parts[1::2], strict=True) if who[0] in "UuHh"]
    return next((what for what in reversed(said) if what), "")


def _title(question: str) -> str:
    """The question without its mark, cut at a word."""
    bare = question.strip(" ?!.…")
    if len(bare) <= TITLE:
        return bare or "Conversation"
    return bare[: TITLE - 1].rpartition(" ")[0].rstrip(" ,;:") + "…"


def _tags(question: str) -> list[str]:
    """The longest of its words that say something, in their order."""
    words = [w for w in re.findall(r"[^\W\d_]{4,}", question) if fold(w) not in STOP_WORDS]
    longest = sorted(dict.fromkeys(words), key=len, reverse=True)[:TAGS]
    return [word for word in dict.fromkeys(words) if word in longest] or ["Conversation"]


# No follow-up is made up: a question that the corpus can't answer would be a poor gift. Nor is anyone's text completed.
_FILLED: dict[str, Callable[[str], object]] = {
    "title": _title,
    "tags": _tags,
    "follow_ups": lambda _: [],
    "queries": lambda question: [question] if question else [],
    "text": lambda _: "",
    "summary": _title,
}
