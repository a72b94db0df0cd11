"""What every torture script counts and tells: faults tried, faults survived, promises broken."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter


class Tally:
    """Counts faults by kind; a broken promise is told at once on stderr, and makes the script end with status 1."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tried: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.broken: list[str] = []
        self._started = time.monotonic()

    def survived(self, kind: str, outcome: str) -> None:
        """`outcome` says how: same answers, told…"""
        self.tried[kind] += 1
        self.outcomes[outcome] += 1

    def lost(self, kind: str, why: str) -> None:
        self.tried[kind] += 1
        self.broken.append(f"{kind}: {why}")
        print(f"BROKEN {self.broken[-1]}", file=sys.stderr, flush=True)

    def end(self) -> int:
        """Print one JSON object; 1 where a promise was broken."""
        told = {
            "torture": self.name,
            "tried": sum(self.tried.values()),
            "broken": len(self.broken),
            "kinds": dict(self.tried),
            "outcomes": dict(self.outcomes),
            "seconds": round(time.monotonic() - self._started, 1),
            "first_broken": self.broken[:20],
        }
        print(json.dumps(told, ensure_ascii=False), flush=True)
        return 1 if self.broken else 0
