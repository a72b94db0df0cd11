"""Limits: what the reading of one file may cost before it is given up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Per file. Time grows with the pages already known to be there: a sound report of 500 pages takes minutes."""

    memory_bytes: int = 1536 * 1024 * 1024
    seconds: float = 120.0
    seconds_per_page: float = 0.5
    pages: int = 2000
    file_bytes: int = 300 * 1024 * 1024
