"""Office files for tests, made by the very libraries that offices' software is compatible with."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import docx
from docx.enum.text import WD_BREAK
from docx.opc.constants import RELATIONSHIP_TYPE as RT
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from odf import dc, text
from odf.opendocument import OpenDocumentText
from odf.table import Table, TableCell, TableHeaderRows, TableRow
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Cm

ROWS = (("Mode", "Taux de pratique", "Échelle"), ("Mécénat", "67 %", "locale"), ("Coopération", "26 %", "régionale"))
WHEN = datetime.datetime(2024, 3, 5, 10, 0)


def make_docx(path: Path) -> Path:
    document = docx.Document()
    core = document.core_properties
    core.title, core.author, core.created, core.modified = "Guide de l’alliance", "Ana Roux; Paul Lenoir", WHEN, WHEN
    document.add_heading("Guide de l’alliance", 0)
    document.add_heading("Pourquoi s’allier", 1)
    paragraph = document.add_paragraph("Une commune s’allie avec ses associations")
    _footnote(document, paragraph, "Source : enquête de 2023.")
    paragraph.add_run(" pour agir plus vite.")
    deleted = parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText>Texte retiré.</w:delText></w:r></w:del>")
    inserted = parse_xml(
        f'<w:ins {nsdecls("w")}><w:r><w:t xml:space="preserve"> Elle le dit à tous.</w:t></w:r></w:ins>'
    )
    paragraph._p.append(deleted)
    paragraph._p.append(inserted)
    document.add_heading("Comment faire", 1)
    for item in ("Écouter les habitants", "Choisir un défi commun"):
        document.add_paragraph(item, style="List Bullet")
    document.add_heading("Les modes", 2)
    table = document.add_table(len(ROWS), 3)
    for row, cells in enumerate(ROWS):
        for column, value in enumerate(cells):
            table.cell(row, column).text = value
    document.add_paragraph("Après le tableau, on évalue.")
    document.save(str(path))
    return path


def _footnote(document: docx.document.Document, paragraph: docx.text.paragraph.Paragraph, said: str) -> None:
    reference = parse_xml(f'<w:r {nsdecls("w")}><w:footnoteReference w:id="2"/></w:r>')
    paragraph._p.append(reference)
    xml = f'<w:footnotes {nsdecls("w")}><w:footnote w:id="2"><w:p><w:r><w:t>{said}</w:t></w:r></w:p></w:footnote></w:footnotes>'
    part = Part(
        PackURI("/word/footnotes.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml",
        xml.encode(),
        document.part.package,
    )
    document.part.relate_to(part, RT.FOOTNOTES)


def make_paged_docx(path: Path) -> Path:
    """As Word saves it: with the places where its pages ended."""
    document = docx.Document()
    document.add_heading("Compte rendu", 1)
    document.add_paragraph("La première page parle du budget.")
    second = document.add_paragraph()
    second.add_run().add_break(WD_BREAK.PAGE)
    run = second.add_run("La deuxième page parle du calendrier.")
    run._r.insert(0, parse_xml(f"<w:lastRenderedPageBreak {nsdecls('w')}/>"))
    document.save(str(path))
    return path


def make_odt(path: Path) -> Path:
    document = OpenDocumentText()
    document.meta.addElement(dc.Title(text="Charte des alliés"))
    document.meta.addElement(dc.Creator(text="Ana Roux"))
    document.meta.addElement(dc.Date(text="2023-10-18T09:00:00"))
    document.text.addElement(text.H(outlinelevel=1, text="Nos principes"))
    paragraph = text.P(text="Chacun donne et reçoit")
    note = text.Note(noteclass="footnote")
    note.addElement(text.NoteCitation(text="1"))
    body = text.NoteBody()
    body.addElement(text.P(text="Voir le préambule."))
    note.addElement(body)
    paragraph.addElement(note)
    paragraph.addText(" à parts égales.")
    document.text.addElement(paragraph)
    document.text.addElement(text.H(outlinelevel=1, text="Nos engagements"))
    items = text.List()
    for said in ("Informer chaque trimestre", "Partager les résultats"):
        item = text.ListItem()
        item.addElement(text.P(text=said))
        items.addElement(item)
    document.text.addElement(items)
    table = Table(name="modes")
    head = TableHeaderRows()
    for number, cells in enumerate(ROWS):
        row = TableRow()
        for value in cells:
            cell = TableCell()
            cell.addElement(text.P(text=value))
            row.addElement(cell)
        (head if number == 0 else table).addElement(row)
        if number == 0:
            table.addElement(head)
    document.text.addElement(table)
    document.save(str(path))
    return path


def make_pptx(path: Path) -> Path:
    presentation = Presentation()
    presentation.core_properties.title = "Bilan des alliances"
    presentation.core_properties.modified = WHEN
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Trois constats"
    first.placeholders[1].text = "Le mécénat domine\nLes maires s’engagent\nLes habitants restent loin"
    first.notes_slide.notes_text_frame.text = "Rappeler la date de l’enquête."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Les chiffres"
    for left, said in ((14, "À droite, la part régionale."), (1, "À gauche, la part locale.")):
        second.shapes.add_textbox(Cm(left), Cm(4), Cm(8), Cm(2)).text_frame.text = said
    table = second.shapes.add_table(3, 3, Cm(1), Cm(7), Cm(20), Cm(4)).table
    for row, cells in enumerate(ROWS):
        for column, value in enumerate(cells):
            table.cell(row, column).text = value
    data = CategoryChartData()
    data.categories = ["2015", "2020"]
    data.add_series("Part en %", (46, 53.5))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Cm(1), Cm(12), Cm(10), Cm(5), data)
    presentation.save(str(path))
    return path


def zipped(parts: dict[str, bytes]) -> bytes:
    import zipfile

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return held.getvalue()
