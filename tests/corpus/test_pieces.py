"""What is usual on a page, and how its lines follow each other: on lines placed for the purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from corpus.lines import Cell, Line
from corpus.pieces import Measures, Piece, ended, measure, place, starts_low

LONG, SHORT = "a" * 31, "a" * 30
USUAL = Measures(pitch=12.0, size=10.0, width=150.0, left=60.0)


def line(y: float = 700.0, text: str = LONG, size: float = 10.0, x0: float = 60.0, x1: float = 260.0) -> Line:
    return Line((Cell(text, x0, x1),), y, size)


def column_of(*steps: float, size: float = 10.0) -> list[Line]:
    """A line, and one so far below for each step."""
    found = [line(size=size)]
    for step in steps:
        found.append(line(found[-1].y - step, size=size))
    return found


# --- what is usual


def test_an_empty_page_has_usual_measures() -> None:
    assert measure([]) == Measures(pitch=12.0, size=10.0, width=200.0, left=0)


@pytest.mark.parametrize(
    ("texts", "size"),
    [
        ([(LONG, 9.0)] * 3 + [("a" * 100, 12.0)], 9.0),
        ([(LONG, 9.0)] * 3 + [("a" * 120, 12.0)], 12.0),
        ([(SHORT, 12.0)] * 5 + [(LONG, 9.0)], 9.0),  # short lines don't count beside a long one
        ([("mot", 14.0)], 14.0),  # and do where there is no other
        ([(LONG, 0.0)], 10.0),  # a file may say anything
        ([(LONG, 8.0), (LONG, 9.0), (LONG, 11.0), (LONG, 11.0)], 10.0),  # the median is below the mode
    ],
)
def test_the_usual_size_is_that_of_most_of_the_text(texts: list[tuple[str, float]], size: float) -> None:
    assert measure([line(700 - 20 * n, *text) for n, text in enumerate(texts)]).size == size


@pytest.mark.parametrize(
    ("steps", "pitch"),
    [
        ([], 12.0),
        ([2.0], 12.0),  # on the same line still
        ([3.0], 12.0),
        ([3.1], 3.1),
        ([29.9], 29.9),
        ([30.0], 12.0),  # too far to be the next line
        ([35.0], 12.0),
        ([-14.0], 12.0),
        ([14.04, 13.96, 18.0, 18.1], 14.0),
        ([20.0, 20.0, 13.0, 14.0, 15.0], 15.0),  # blanks between short lines
    ],
)
def test_the_usual_pitch_is_that_of_lines_that_follow_each_other(steps: list[float], pitch: float) -> None:
    assert measure(column_of(*steps)).pitch == pytest.approx(pitch)


def test_the_usual_pitch_is_the_same_at_the_foot_of_a_page() -> None:
    assert measure([line(26.0), line(12.0)]).pitch == 14


@pytest.mark.parametrize(
    ("sizes", "usual"),
    [
        ([10.0] * 3 + [11.0] * 2 + [12.0, 13.0, 14.0], 14.0),
        ([10.0] * 2 + [11.0] * 2 + [12.0, 13.0, 14.0], 11.0),  # too few lines to tell
        ([10.0] * 3 + [11.0] * 3 + [12.0, 14.0], 11.0),  # too few sizes
        ([10.0] * 4 + [11.0] * 2 + [12.0, 13.0, 14.0, 15.0], 10.0),  # four of ten alike
        ([10.0] * 5 + [11.0, 12.0, 13.0, 14.0, 15.0], 10.0),
        ([10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 10.7, 10.8], 10.8),
        ([10.0, 10.0, 10.01, 10.01, 10.02, 10.02, 10.03, 10.04], 10.015),  # all alike, to a tenth of a point
    ],
)
def test_where_each_line_fills_its_column_the_largest_size_is_usual(sizes: list[float], usual: float) -> None:
    found = [line(700 - 20 * n, size=size) for n, size in enumerate(sizes)]
    assert measure(found).size == pytest.approx(usual)


def test_the_usual_width_is_reached_by_a_quarter_of_the_long_lines() -> None:
    def width(*lengths: int) -> float:
        return measure([line(700 - 20 * n, "a" * length) for n, length in enumerate(lengths)]).width / 5.2

    assert width(60, 40, 50) == pytest.approx(50)
    assert width(60, 40, 50, 80, 70) == pytest.approx(70)
    assert width(40, 10, 10) == pytest.approx(40)


def test_the_left_is_that_of_the_leftmost_long_line() -> None:
    assert measure([line(x0=70), line(680, x0=50), line(660, SHORT, x0=30)]).left == 50


# --- how lines follow each other


def breaks(*lines: Line) -> list[str]:
    return [placed.brk for placed in place(lines, USUAL)]


@pytest.mark.parametrize(
    ("step", "sizes", "expected"),
    [
        (16.5, (10, 10), "same"),
        (16.6, (10, 10), "gap"),
        (16.5, (8, 8), "same"),
        (23.0, (14, 10), "same"),  # large type has a large pitch
        (23.0, (10, 14), "same"),
        (23.5, (14, 10), "gap"),
        (33.0, (30, 10), "same"),  # but not beyond twice the usual
        (33.5, (30, 10), "gap"),
        (144.0, (10, 10), "gap"),
        (145.0, (10, 10), "jump"),
        (3.0, (10, 10), "jump"),
        (3.1, (10, 10), "same"),
        (3.5, (20, 10), "same"),
        (3.5, (10, 20), "same"),
        (-12.0, (10, 10), "jump"),
    ],
)
def test_a_line_follows_by_its_distance(step: float, sizes: tuple[float, float], expected: str) -> None:
    above, below = sizes
    assert breaks(line(700, size=above), line(700 - step, size=below)) == ["jump", expected]


@pytest.mark.parametrize(
    ("x0", "x1", "expected"),
    [(280, 400, "same"), (281, 400, "jump"), (10, 40, "same"), (10, 39, "jump"), (10, 500, "same")],
)
def test_a_line_far_to_the_side_is_elsewhere(x0: float, x1: float, expected: str) -> None:
    assert breaks(line(700), line(688, x0=x0, x1=x1)) == ["jump", expected]


@pytest.mark.parametrize("rule", ["***", "------", "_ _ _ _ _ _", "e-----------"])
def test_a_drawn_rule_is_a_gap_between_what_it_parts(rule: str) -> None:
    placed = place([line(700), line(694, rule), line(688), line(676)], USUAL)
    assert [(p.text, p.brk) for p in placed] == [(LONG, "jump"), (LONG, "gap"), (LONG, "same")]
    assert breaks(line(700), line(694, rule), line(800)) == ["jump", "jump"]


# --- the column that a line stands in


def columns(*lines: Line, usual: Measures = USUAL) -> list[float]:
    return [placed.column for placed in place(lines, usual)]


def wide(width: float, text: str = LONG, x0: float = 60.0) -> Line:
    return line(700, text, x0=x0, x1=x0 + width)


def test_a_column_is_as_wide_as_a_quarter_of_its_long_lines() -> None:
    assert columns(wide(300), wide(100), wide(200)) == [200] * 3
    assert columns(wide(300), wide(100), wide(200), wide(500), wide(400)) == [400] * 5
    assert columns(wide(100), wide(200)) == [100, 100]
    assert columns(wide(170), wide(200)) == [150, 150], "too few lines to go beyond the usual"
    assert columns(wide(90, SHORT), wide(200, SHORT), wide(300, SHORT)) == [150] * 3


def test_a_column_is_made_of_lines_that_start_at_one_place() -> None:
    for beside in (63.9, 56.1):
        assert columns(wide(300), wide(100, x0=beside), wide(200))[0] == 200
    for apart in (64.0, 56.0, 100.0, 10.0):
        assert columns(wide(300), wide(100, x0=apart), wide(200))[0] == 150


def test_a_column_is_made_of_the_nine_lines_on_each_side() -> None:
    rows = [wide(20, "mot") for _ in range(21)]
    rows[10], rows[1], rows[19] = wide(300), wide(100), wide(200)
    rows[0], rows[20] = wide(500), wide(600)
    assert columns(*rows)[10] == 200


# --- pieces


def test_a_piece_is_told_by_its_lines() -> None:
    first, second = place([line(700, "Un  mot", size=12), line(680, "et un autre", x0=70, x1=100)], USUAL)
    assert [(p.text, p.width) for p in (first, second)] == [("Un  mot", 200), ("et un autre", 30)]
    piece = Piece((second, first))
    assert (piece.texts, piece.text) == (("et un autre", "Un  mot"), "et un autre Un mot")
    assert (piece.brk, piece.size, piece.bold) == ("gap", 12, False)
    assert (Piece(()).brk, Piece(()).size) == ("gap", 0)
    bold = place([replace(line(700), bold=True), replace(line(688), bold=True), line(676)], USUAL)
    assert [Piece(bold[:2]).bold, Piece(bold).bold] == [True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Une phrase.", True),
        ("Vraiment ?", True),
        ("« Une phrase. »", True),
        ("Une phrase.12", True),
        ("Une phrase", False),
        ("Une phrase, 3", False),
    ],
)
def test_a_sentence_ends_with_its_stop(text: str, expected: bool) -> None:
    assert ended(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("la suite", True),
        ("« la suite", True),
        ("I'alliance", True),
        ("1’ alliance", True),
        ("L'alliance", False),
        ("La suite", False),
        ("3 communes", False),
        ("«", False),
    ],
)
def test_the_rest_of_a_sentence_starts_low(text: str, expected: bool) -> None:
    assert starts_low(text) is expected
