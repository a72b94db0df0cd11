"""Limits: what the reading of one file may cost before it is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Report = Callable[
    [dict[str, Any]], None
]  # how a reader says where it is; what it says is listed in corpus/sandbox_child.py


def unreported(_: dict[str, Any]) -> None:
    """The Report of those who don't listen."""


@dataclass(frozen=True)
class Limits:
    """Per file. Time grows with the pages already known to be there: a sound report of 500 pages takes minutes."""

    memory_bytes: int = 1536 * 1024 * 1024
    seconds: float = 120.0
    seconds_per_page: float = 0.5
    page_seconds: float = 60.0  # for one page, which is then left out: real maps and drawings take up to 15
    pages: int = 2000
    file_bytes: int = 300 * 1024 * 1024
