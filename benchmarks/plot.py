"""A small log-log plot as SVG, by hand: nothing to install."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SERIES = {  # column → label, colour
    "retrieve_p95_ms": ("recherche, p95 (ms)", "#1f5fa8"),
    "first_p95_ms": ("premier texte, p95 (ms)", "#b4451f"),
    "own_mib": ("mémoire propre (Mio)", "#3b7d3b"),
    "disk_mib": ("disque (Mio)", "#6b4a9c"),
}
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 420, 70, 50, 20


def plot(rows: Sequence[Mapping[str, Any]], target: Path) -> None:
    """Every column of SERIES against the number of passages."""
    xs = [math.log10(row["passages"]) for row in rows]
    low_x, high_x = math.floor(min(xs)), math.ceil(max(xs))
    values = [max(float(row[key]), 0.1) for row in rows for key in SERIES]
    low_y, high_y = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - low_x) / max(high_x - low_x, 1) * (WIDTH - LEFT - 220)
        return across, HEIGHT - BOTTOM - (y - low_y) / max(high_y - low_y, 1) * (HEIGHT - BOTTOM - TOP)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">'
    ]
    parts.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    for x in range(low_x, high_x + 1):
        (a, b), (c, d) = place(x, low_y), place(x, high_y)
        parts.append(f'<path d="M{a:.0f} {b:.0f}L{c:.0f} {d:.0f}" stroke="#ddd"/>')
        parts.append(f'<text x="{a:.0f}" y="{b + 20:.0f}" text-anchor="middle">{10**x:,}</text>'.replace(",", " "))
    for y in range(low_y, high_y + 1):
        (a, b), (c, d) = place(low_x, y), place(high_x, y)
        parts.append(f'<path d="M{a:.0f} {b:.0f}L{c:.0f} {d:.0f}" stroke="#ddd"/>')
        parts.append(f'<text x="{a - 8:.0f}" y="{b + 4:.0f}" text-anchor="end">{10.0**y:g}</text>')
    for number, (key, (label, colour)) in enumerate(SERIES.items()):
        points = [place(x, math.log10(max(float(row[key]), 0.1))) for x, row in zip(xs, rows, strict=True)]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        parts.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>' for a, b in points]
        parts.append(f'<text x="{WIDTH - 205}" y="{TOP + 30 + 24 * number}" fill="{colour}">{label}</text>')
    parts.append(f'<text x="{LEFT + 200}" y="{HEIGHT - 8}">passages</text></svg>')
    target.write_text("\n".join(parts), encoding="utf-8")
