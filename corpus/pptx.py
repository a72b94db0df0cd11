"""read_pptx: a presentation by slides, in reading order, with its tables, diagrams, charts and speaker's notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree
from pptx import Presentation
from pptx.enum.shapes import PP_PLACEHOLDER

from corpus.archive import opened
from corpus.errors import ReadError
from corpus.limits import Limits
from corpus.structured import Sheets, StructuredDocument

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_TITLES = (PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE)
_MARGINS = (PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.HEADER)
SAME_ROW = 200_000  # EMU, about 5 mm: shapes whose tops differ by less stand side by side


def read_pptx(data: bytes, name: str, limits: Limits) -> StructuredDocument:
    """The slides of a presentation. Raises ReadError; a slide that can't be read is named and the others are kept."""
    with opened(data, name, "ppt/presentation.xml") as archive:
        presentation = Presentation(archive)
        sheets = Sheets(name, limits, paged=True)
        for number, slide in enumerate(presentation.slides, 1):
            sheets.page(str(number))
            try:
                _slide(slide, sheets)
            except (ReadError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 — of any class: one slide must not cost the others
                sheets.fail("corrupt", f"diapositive {number} : illisible ({type(error).__name__}).")
        core = presentation.core_properties
        date = core.modified or core.created
        return sheets.finish(core.title, [core.author or ""], date.date().isoformat() if date else None)


def _slide(slide: Any, sheets: Sheets) -> None:
    shapes = list(_shapes(slide.shapes))
    title = next((s for s in shapes if _placeholder(s) in _TITLES and s.text_frame.text.strip()), None)
    if title is not None:
        sheets.heading(1, title.text_frame.text)
    for shape in _ordered(shapes):
        if shape is not title and _placeholder(shape) not in _MARGINS:
            _shape(shape, slide, sheets)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        sheets.note(None, slide.notes_slide.notes_text_frame.text)


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _ordered(shapes: list[Any]) -> list[Any]:
    """From top to bottom, those of one row from left to right."""

    def place(shape: Any) -> tuple[int, int]:
        return int(shape.top or 0) // SAME_ROW, int(shape.left or 0)

    return sorted(shapes, key=place)


def _placeholder(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _shape(shape: Any, slide: Any, sheets: Sheets) -> None:
    if getattr(shape, "has_table", False) and shape.has_table:
        rows = [["" if cell.is_spanned else cell.text_frame.text for cell in row.cells] for row in shape.table.rows]
        sheets.table(rows, bool(shape.table.first_row))
    elif getattr(shape, "has_chart", False) and shape.has_chart:
        _chart(shape.chart, sheets)
    elif shape.has_text_frame:
        _paragraphs(shape, sheets)
    for relation in shape.element.iter(f"{_DGM}relIds"):
        part = slide.part.related_part(
            relation.get("{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm")
        )
        _diagram(part.blob, sheets)


def _paragraphs(shape: Any, sheets: Sheets) -> None:
    lines = []
    for paragraph in shape.text_frame.paragraphs:
        for run in paragraph.runs:
            sheets.link(run.hyperlink.address)
        lines.append("".join(piece.text or " " for piece in paragraph._p.iter(f"{_A}t", f"{_A}br")))
    lines = [line for line in lines if line.strip()]
    listed = _placeholder(shape) in (PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT) and len(lines) > 1
    if listed:
        sheets.items(lines)
        return
    for line in lines:
        sheets.paragraph(line)


def _chart(chart: Any, sheets: Sheets) -> None:
    """A chart as the table that it is drawn from."""
    if chart.has_title and chart.chart_title.has_text_frame:
        sheets.paragraph(chart.chart_title.text_frame.text, "caption")
    plot = chart.plots[0]
    series = list(plot.series)
    rows = [["", *[str(s.name or "") for s in series]]]
    for i, category in enumerate(plot.categories):
        rows.append([str(category), *[_number(s.values[i]) for s in series]])
    sheets.table(rows, headed=True)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}".replace(".", ",")


def _diagram(blob: bytes, sheets: Sheets) -> None:
    """The labels of a SmartArt drawing, in the order of its data."""
    root = etree.fromstring(blob, etree.XMLParser(resolve_entities=False, no_network=True))
    labels = []
    for point in root.iter(f"{_DGM}pt"):
        labels.append("".join(text.text or "" for text in point.iter(f"{_A}t")))
    sheets.items([label for label in labels if label.strip()])
