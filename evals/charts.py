"""Plots as inline SVG: a few lines each, drawn on a fixed canvas that scales with the page; colours come from its style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from evals.summary import french

WIDTH, HEIGHT = 360.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 20.0, 12.0, 36.0
Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """Points (x, y) in data units, joined by a line; `low`, `high`: bounds at each point, drawn as bars."""

    label: str
    points: Sequence[Point]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    dots: bool = True


@dataclass(frozen=True)
class Axis:
    """From `start` to `end`, with the values to write."""

    label: str
    start: float
    end: float
    ticks: Sequence[tuple[float, str]]

    def place(self, value: float, a: float, b: float) -> float:
        span = self.end - self.start or 1.0
        return a + (b - a) * (min(max(value, self.start), self.end) - self.start) / span


def line_chart(title: str, x: Axis, y: Axis, series: Sequence[Series], mark: float | None = None) -> str:
    """Lines over one another; `mark`: a value of x to point at."""
    parts = [
        f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{escape(title, quote=True)}">',
        f"<title>{escape(title)}</title>",
        *_grid(x, y),
    ]
    if mark is not None:
        at = x.place(mark, LEFT, WIDTH - RIGHT)
        parts.append(f'<line class="mark" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    for number, one in enumerate(series):
        parts += _series(one, number, x, y)
    return "".join([*parts, "</svg>"])


def shares(label: str = "", step: float = 0.25, start: float = 0.0) -> Axis:
    """An axis of shares, in percent."""
    count = round((1 - start) / step)
    ticks = [(start + i * step, french(f"{100 * (start + i * step):g} %")) for i in range(count + 1)]
    return Axis(label, start, 1.0, ticks)


def _grid(x: Axis, y: Axis) -> list[str]:
    parts = []
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    for value, text in y.ticks:
        at = y.place(value, bottom, TOP)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text x="{LEFT - 4}" y="{at + 3.5:.1f}" text-anchor="end">{escape(text)}</text>')
    for value, text in x.ticks:
        at = x.place(value, LEFT, right)
        parts.append(f'<text x="{at:.1f}" y="{bottom + 14}" text-anchor="middle">{escape(text)}</text>')
    parts.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(x.label)}</text>')
    return parts


def _series(one: Series, number: int, x: Axis, y: Axis) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    placed = [(x.place(a, LEFT, right), y.place(b, bottom, TOP)) for a, b in one.points]
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in placed)
    parts = [f'<polyline class="s{number}" points="{path}"/>']
    for (at, _), low, high in zip(placed, one.low, one.high, strict=False):
        a, b = y.place(low, bottom, TOP), y.place(high, bottom, TOP)
        parts.append(f'<line class="s{number} bar" x1="{at:.1f}" x2="{at:.1f}" y1="{a:.1f}" y2="{b:.1f}"/>')
    if one.dots:
        parts += [f'<circle class="s{number}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in placed]
    return parts
