"""The report's four plots: recall by depth, risk by coverage, waiting time, and what past runs gave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from evals.charts import Axis, Series, line_chart, shares
from evals.metrics import BY_NAME
from evals.observe import Line
from evals.risk import area, risk_coverage
from evals.run import Figures
from evals.summary import french
from rag import abstain

DEPTHS = (1, 3, 5, 10, 20)
TREND = ("facts", "cited_page", "R@5", "verdict")


def recall(metrics: Figures) -> str:
    found = [(k, metrics[f"R@{k}"]) for k in DEPTHS if f"R@{k}" in metrics]
    points = [(float(i), figure.value) for i, (_, figure) in enumerate(found)]
    x = Axis("premières pages trouvées", -0.2, len(found) - 0.8, [(float(i), str(k)) for i, (k, _) in enumerate(found)])
    line = Series("rappel", points, [f.low for _, f in found], [f.high for _, f in found])
    return line_chart("Part des pages de la preuve retrouvées, selon le nombre de pages regardées", x, shares(), [line])


def risk(lines: Sequence[Line]) -> tuple[str, str]:
    """The plot, and what it says in one sentence."""
    weighed = [(line.probability, line.question.answerable) for line in lines if line.probability is not None]
    if not weighed:
        return "", ""
    curve = risk_coverage(weighed)
    points = [(point.coverage, point.risk) for point in curve]
    let_through = sum(p >= abstain.THRESHOLD for p, _ in weighed) / len(weighed)
    top = max(0.2, math.ceil(max(r for _, r in points) * 10) / 10)
    y = Axis("", 0.0, top, [(top * i / 4, french(f"{100 * top * i / 4:.3g} %")) for i in range(5)])
    title = "Part de réponses à des questions sans réponse, selon la part de questions auxquelles on répond"
    drawn = line_chart(title, shares("questions répondues"), y, [Series("risque", points, dots=False)], let_through)
    return drawn, (
        f"Aire sous la courbe : {french(f'{area(curve):.3f}')} (0 serait parfait). Le trait marque le seuil actuel : "
        f"{100 * let_through:.0f} % des questions passent."
    )


def latency(lines: Sequence[Line]) -> str:
    given = sorted(line.values["total_ms"] for line in lines if "total_ms" in line.values)
    if not given:
        return ""
    end = given[min(len(given) - 1, int(0.99 * len(given)))] * 1.05 or 1.0
    step = _round_step(end / 4)
    ticks = [(i * step, french(f"{i * step:g}")) for i in range(int(end / step) + 1)]
    points = [(ms, (i + 1) / len(given)) for i, ms in enumerate(given)]
    x = Axis("millisecondes", 0.0, end, ticks)
    title = "Part des questions dont la réponse entière est arrivée, selon le temps"
    return line_chart(title, x, shares(), [Series("réponse entière", points, dots=False)])


def trend(past: Sequence[dict[str, Any]]) -> tuple[str, list[str]]:
    """The plot of past runs, oldest first, and its legend."""
    names = [name for name in TREND if any(name in run["figures"] for run in past)]
    series = []
    for name in names:
        kept = [(float(i), run["figures"][name]) for i, run in enumerate(past) if name in run["figures"]]
        points = [(at, figure[0]) for at, figure in kept]
        series.append(Series(name, points, [f[1] for _, f in kept], [f[2] for _, f in kept]))
    every = max(1, math.ceil(len(past) / 4))
    ticks = [(float(i), _day(run["created"], past)) for i, run in enumerate(past) if i % every == 0]
    x = Axis("", -0.3, max(len(past) - 0.7, 0.3), ticks)
    lowest = min((low for s in series for low in s.low), default=0.0)
    start = math.floor(lowest * 4) / 4 if lowest < 1 else 0.75
    return line_chart("Mesures passées", x, shares(start=start), series), [BY_NAME[name].label for name in names]


def _round_step(raw: float) -> float:
    size = 10 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    return next(size * m for m in (1, 2, 5, 10) if size * m >= raw)


def _day(created: str, past: Sequence[dict[str, Any]]) -> str:
    """The day, or the hour where all were made the same day."""
    one_day = len({str(run["created"])[:10] for run in past}) == 1
    return created[11:16] if one_day else f"{created[8:10]}/{created[5:7]}"
