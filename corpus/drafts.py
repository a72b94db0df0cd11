"""Draft: a block while its page and document are still being understood."""

from __future__ import annotations

from dataclasses import dataclass, field

from corpus.document import BlockKind


@dataclass(frozen=True)
class Draft:
    """`lines` are joined by `join_lines` for running text; `rows` stand one a line (tables, lists)."""

    kind: BlockKind
    rows: tuple[tuple[str, ...], ...]  # of each paragraph, item or row: its lines as set
    call: str | None = None
    size: float = 0.0
    bold: bool = False
    quality: float = 1.0
    open: bool = False  # its last sentence isn't finished
    low: bool = False  # it starts as the rest of a sentence
    section: tuple[str, ...] = field(default=())
    continues: bool = False

    @property
    def text(self) -> str:
        return "\n".join(" ".join(row) for row in self.rows)
