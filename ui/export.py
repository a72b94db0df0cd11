"""A conversation as a Word document: questions, answers, and under each its citations, linked to their pages."""

from __future__ import annotations

import io
import re
from typing import Annotated
from urllib.parse import quote, urljoin

from docx import Document
from docx.document import Document as DocxDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph
from pydantic import BaseModel, ConfigDict, Field

from ui.welcome import spaced

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 has no place for them
GREEN = RGBColor(0x0B, 0x5A, 0x55)
Text = Annotated[str, Field(max_length=20_000)]


class ExportedCitation(BaseModel):
    """What is printed of a citation; other fields of the contract's Citation are let through, unread."""

    model_config = ConfigDict(extra="ignore")
    n: int = Field(ge=1)
    document_id: str = Field(max_length=200)
    title: str = Field(max_length=2000)
    page: int = Field(ge=1)
    page_label: str = Field("", max_length=50)
    quote: Text


class ExportedAnswer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    answer: Text
    citations: list[ExportedCitation] = Field([], max_length=200)


class ExportedTurn(BaseModel):
    question: Text
    answer: ExportedAnswer | None = None


class ExportRequest(BaseModel):
    """The conversation as the page holds it."""

    turns: list[ExportedTurn] = Field(max_length=200)


def to_docx(asked: ExportRequest, base_url: str) -> bytes:
    """The conversation as .docx; `base_url` is where the pages are served, for the links."""
    document = Document()
    document.core_properties.title = "Conversation avec Boussole 17"
    document.core_properties.language = "fr-FR"
    document.styles["Normal"].font.size = Pt(11)
    document.add_heading("Conversation avec Boussole\u00a017", 0)
    for turn in asked.turns:
        document.add_heading(_writable(turn.question), 1)
        if turn.answer is None:
            document.add_paragraph("Sans réponse.")
            continue
        _text(document, turn.answer.answer)
        for citation in turn.answer.citations:
            _citation(document, citation, base_url)
    document.add_paragraph(
        spaced("Chaque citation est mot pour mot celle de la page ; vérifiez-la avant de vous en servir.")
    ).runs[0].italic = True
    written = io.BytesIO()
    document.save(written)
    return written.getvalue()


def _text(document: DocxDocument, text: str) -> None:
    for line in filter(str.strip, text.split("\n")):
        style = "List Bullet" if line.startswith("- ") else None
        paragraph = document.add_paragraph(style=style)
        for part in re.split(r"(\[\d+\])", line.removeprefix("- ")):
            run = paragraph.add_run(_writable(spaced(part)))
            run.font.superscript = bool(re.fullmatch(r"\[\d+\]", part))


def _citation(document: DocxDocument, citation: ExportedCitation, base_url: str) -> None:
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.left_indent = Pt(14)
    where = f"{citation.title}, p.\u00a0{citation.page_label or citation.page}"
    address = urljoin(base_url, f"v1/documents/{quote(citation.document_id, safe='')}/file#page={citation.page}")
    paragraph.add_run(f"[{citation.n}] ").bold = True
    _link(paragraph, _writable(where), address)
    paragraph.add_run(_writable(f"\u00a0: «\u00a0{' '.join(citation.quote.split())}\u00a0»"))
    for run in paragraph.runs:
        run.font.size = Pt(9.5)


def _link(paragraph: Paragraph, text: str, address: str) -> None:
    """python-docx reads links and has no call to make one."""
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(address, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run = paragraph.add_run(text)
    run.font.color.rgb = GREEN
    run.font.underline = True
    run.font.size = Pt(9.5)
    link.append(run._r)
    paragraph._p.append(link)


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
