"""What the assistant weighed while it answered: the signals of its abstention, read where it reads them itself.

The façade's Answer carries no confidence, and building it again here would be a copy of the pipeline that drifts away from
it. So the one call that the assistant makes of `rag.abstain.probability` is listened to while a question is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rag import abstain
from rag.abstain import Signals


@dataclass
class Weighed:
    """Filled while questions are asked; the last question's come last."""

    signals: list[Signals] = field(default_factory=list)

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

    abstain.probability = heard
    try:
        yield weighed
    finally:
        abstain.probability = own
