"""Where an answer in OpenAI's form ends early: before a stop text, or once its length is spent."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TOKEN = re.compile(r"\w+|[^\w\s]")


def counted(text: str) -> int:
    """Words and signs, which stand for tokens here: no model's own are billed."""
    return len(_TOKEN.findall(text))


class Budget:
    """Lets whole pieces (sentences, notes) through until `most` words and signs are spent; the first always passes,
    as half a sentence may say the contrary of the whole."""

    def __init__(self, most: int | None) -> None:
        self._left = most
        self._begun = False
        self.spent = False

    def admit(self, piece: str) -> str:
        """The piece, or nothing from the first that doesn't fit."""
        if self._left is None or not piece:
            return piece
        cost = counted(piece)
        if self.spent or (self._begun and cost > self._left):
            self.spent = True
            return ""
        self._begun = True
        self._left -= cost
        return piece


class Stopper:
    """Passes text on up to the first of the stop texts; keeps back what may be the beginning of one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""
        self.stopped = False

    def pass_on(self, delta: str) -> str:
        if self.stopped:
            return ""
        self._held += delta
        found = [at for stop in self._stops if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            return self._held[: min(found)]
        kept = max((n for stop in self._stops for n in range(1, len(stop)) if self._held.endswith(stop[:n])), default=0)
        ready, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        return ready

    def rest(self) -> str:
        """What was kept back, once no more text comes."""
        return "" if self.stopped else self._held
