"""What the assistant weighed while it answered: its retrieval's scores and the signals of its abstention, read where it reads
them itself.

The façade's Answer carries neither confidence nor the scores that its passages were found by, and building them again here
would be a copy of the pipeline that drifts away from it. So the calls that the assistant makes of `rag.abstain.probability`
and of its retriever are listened to while a question is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rag import abstain
from rag.abstain import Signals
from rag.retrieve import Found, HybridRetriever


@dataclass
class Weighed:
    """Filled while questions are asked; the last question's come last."""

    signals: list[Signals] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)

    def last(self) -> Signals | None:
        return self.signals[-1] if self.signals else None


@contextmanager
def listening() -> Iterator[Weighed]:
    """Signals of the questions that are asked inside the block, by this thread's assistant. Not for several threads."""
    weighed = Weighed()
    own = abstain.probability

    def heard(given: Signals) -> float:
        weighed.signals.append(given)
        return own(given)

    find = HybridRetriever.find

    def seen(self: HybridRetriever, *given: Any, **named: Any) -> Found:
        weighed.found.append(find(self, *given, **named))
        return weighed.found[-1]

    abstain.probability = heard
    HybridRetriever.find = seen  # type: ignore[method-assign]
    try:
        yield weighed
    finally:
        abstain.probability = own
        HybridRetriever.find = find  # type: ignore[method-assign]
