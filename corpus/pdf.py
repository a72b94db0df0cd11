"""read_pdf: the lines of a PDF's pages with their places, through pypdf, PDFium being asked where pypdf fails.

pypdf lets through exceptions of any class (TypeError, AssertionError without a message, NotImplementedError…), on opening or
on one page: each page is read on its own, the one that fails is named and the others are kept.
"""

from __future__ import annotations

import io
import logging
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, WrongPasswordError
from pypdf.generic import NameObject

from corpus import ocr
from corpus.document import PageFailure
from corpus.errors import ReadError
from corpus.limits import Limits, Report, unreported
from corpus.lines import Span, lines
from corpus.pdf_second_opinion import second_opinion
from corpus.raw import RawDocument, RawPage
from corpus.text_layer import SHIFTED, glued, legibility

logger = logging.getLogger(__name__)
Matrix = list[float]
TAIL_BYTES = 2048  # where a whole PDF has its startxref and %%EOF
READABLE = 0.35  # legibility below which a page is reported as unreadable
SPARSE_LETTERS = 3  # fewer letters than this on a page with pictures: a scan
FIELD_SIZE = 10.0  # points: the usual size of what is typed into a form
HEAD_BYTES = 1024  # within which readers look for %PDF-
OTHER_TYPES = (
    (b"PK\x03\x04", "une archive ZIP (ou un document Word, LibreOffice…)"),
    (b"\xd0\xcf\x11\xe0", "un ancien document Office"),
    (b"\x89PNG", "une image PNG"),
    (b"\xff\xd8\xff", "une image JPEG"),
    (b"GIF8", "une image GIF"),
    (b"II*\x00", "une image TIFF"),
    (b"MM\x00*", "une image TIFF"),
    (b"RIFF", "une image ou un son"),
    (b"{\\rtf", "un document RTF"),
    (b"%!PS", "un fichier PostScript"),
    (b"<!doctype html", "une page web"),
    (b"<html", "une page web"),
    (b"<?xml", "un fichier XML"),
    (b"\x1f\x8b", "une archive compressée"),
    (b"7z\xbc\xaf", "une archive compressée"),
    (b"Rar!", "une archive compressée"),
    (b"MZ", "un programme"),
    (b"\x7fELF", "un programme"),
)
SKIPPED = {
    "timeout": "sa lecture prend trop de temps (un dessin très chargé ?) ; enregistrez-la comme image ou allégez-la.",
    "memory": "sa lecture demande trop de mémoire ; allégez ses images et ses dessins.",
    "corrupt": "elle arrête le lecteur ; réenregistrez le document depuis le logiciel d'origine.",
}


def read_pdf(
    data: bytes, name: str, limits: Limits, skip: Mapping[int, str] | None = None, report: Report = unreported
) -> RawDocument:
    """Read all pages but those of `skip`, the scanned ones through OCR where it is installed; see `read_text_layer`."""
    count = 1

    def heard(message: dict[str, Any]) -> None:
        nonlocal count
        count = message.get("pages", count)
        report(message)

    found: RawDocument | None = None
    try:
        found = read_text_layer(data, name, limits, skip, heard)
        scans = sum(failure.code == "no_text" for failure in found.failures)
    except ReadError as error:
        if error.code != "no_text" or not ocr.available():
            raise
        scans = count
    if found is not None and not (scans and ocr.available()):
        return found
    report({"more_seconds": ocr.START_SECONDS + ocr.SECONDS_PER_PAGE * scans})
    recognised = ocr.recognise(data, scans)
    if recognised is not None:
        return read_text_layer(recognised, name, limits, skip, report)
    if found is None:
        raise _without_text(name, False)
    return found


def read_text_layer(
    data: bytes, name: str, limits: Limits, skip: Mapping[int, str] | None = None, report: Report = unreported
) -> RawDocument:
    """Read all pages but those of `skip` (with the code of their failure). Raises ReadError where nothing can be read.

    `report` hears {"pages": n} before the first is read, and {"page": i} before each.
    """
    skip = skip or {}
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns once per broken object
    _check_type(data, name)
    cut = _is_cut(data)
    reader, count = _open(data, name, cut)
    if count > limits.pages:
        raise ReadError(
            f"« {name} » compte {count} pages, plus que les {limits.pages} admises : découpez-le en plusieurs fichiers.",
            code="too_many_pages",
        )
    if not count:
        raise ReadError(
            f"« {name} » est abîmé : il ne contient aucune page. Demandez-en une autre copie.", code="corrupt"
        )
    report({"pages": count})
    labels = _labels(reader, count)
    pages: list[RawPage] = []
    failures: list[PageFailure] = []
    for index in range(count):
        number = index + 1
        if number in skip:
            failures.append(PageFailure(number, skip[number], SKIPPED.get(skip[number], SKIPPED["corrupt"])))
            continue
        report({"page": number})
        page, failure = _page(reader, data, index, labels[index], cut)
        if page is not None:
            pages.append(page)
        if failure is not None:
            failures.append(failure)
    _check_found(name, pages, failures, cut)
    title, authors, date = _information(reader)
    return RawDocument(tuple(pages), tuple(failures), title, authors, date)


def _check_type(data: bytes, name: str) -> None:
    """Raise ReadError where `data` is empty or another kind of file under a PDF's name."""
    if not data.strip():
        raise ReadError(f"« {name} » est vide : téléchargez-le ou copiez-le de nouveau.", code="truncated")
    if b"%PDF-" in data[:HEAD_BYTES]:
        return
    start = data[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \r\n\t")
    kind = next((kind for mark, kind in OTHER_TYPES if start[: len(mark)].lower() == mark.lower()), None)
    if kind is None and not any(mark in data for mark in (b"startxref", b"endobj", b"/Catalog")):
        kind = "un texte" if _is_text(data[:HEAD_BYTES]) else "un fichier d'un autre type"
    if kind is not None:
        raise ReadError(
            f"« {name} » n'est pas un PDF mais {kind} : donnez-lui sa vraie extension, ou récupérez le PDF d'origine.",
            code="wrong_type",
        )


def _is_text(start: bytes) -> bool:
    text = start.decode("utf-8", errors="ignore")
    return len(text) > 0.95 * len(start) and all(char.isprintable() or char in "\r\n\t\f" for char in text)


def _check_found(name: str, pages: Sequence[RawPage], failures: Sequence[PageFailure], cut: bool) -> None:
    """Raise ReadError where no page gave text, for the reason that its pages give."""
    if any(page.raw_text.strip() for page in pages):
        return
    codes = {failure.code for failure in failures}
    for code in ("memory", "timeout"):
        if code in codes:
            raise ReadError(f"« {name} » : aucune page n'a pu être lue ; {SKIPPED[code]}", code=code)
    if pages and "corrupt" not in codes:
        raise _without_text(name, cut)


def _open(data: bytes, name: str, cut: bool) -> tuple[PdfReader, int]:
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise _encrypted(name)
        return reader, len(reader.pages)
    except (ReadError, MemoryError):
        raise
    except (FileNotDecryptedError, WrongPasswordError, DependencyError) as error:
        raise _encrypted(name) from error
    except Exception as error:
        if b"/Encrypt" in data and isinstance(error, NotImplementedError):
            raise _encrypted(name) from error
        if cut:
            raise ReadError(
                f"« {name} » est tronqué : sa fin manque. Téléchargez-le ou copiez-le de nouveau en entier.",
                code="truncated",
            ) from error
        raise ReadError(
            f"« {name} » est abîmé et ne s'ouvre pas ({_reason(error)}). Demandez-en une autre copie, "
            "ou réenregistrez-le depuis le logiciel d'origine.",
            code="corrupt",
        ) from error


def _encrypted(name: str) -> ReadError:
    return ReadError(
        f"« {name} » est protégé par un mot de passe. Enregistrez-en une copie sans mot de passe, puis ajoutez-la.",
        code="encrypted",
    )


def _without_text(name: str, cut: bool) -> ReadError:
    if cut:
        return ReadError(
            f"« {name} » est tronqué : aucune page n'a de texte. Téléchargez-le de nouveau.", code="truncated"
        )
    return ReadError(
        f"« {name} » n'a pas de texte : c'est sans doute un document numérisé. {ocr.how_to_read()}.", code="no_text"
    )


def _is_cut(data: bytes) -> bool:
    tail = data[-TAIL_BYTES:]
    return not any(mark in tail for mark in (b"startxref", b"%%EOF", b"trailer"))


def _reason(error: BaseException) -> str:
    message = " ".join(str(error).split())[:100]
    return f"{type(error).__name__} : {message}" if message else type(error).__name__


def _page(
    reader: PdfReader, data: bytes, index: int, label: str | None, cut: bool
) -> tuple[RawPage | None, PageFailure | None]:
    number = index + 1
    try:
        page = _read_page(reader.pages[index], number, label)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 — of any class, see the module's docstring
        logger.info("page unread", extra={"page": number, "error": type(error).__name__})
        rescued = second_opinion(data, index, label)
        if rescued is not None:
            message = f"lue par un second lecteur, le premier a échoué ({_reason(error)}) ; vérifiez-la."
            return rescued, PageFailure(number, "corrupt", message)
        return None, PageFailure(number, "corrupt", f"illisible ({_reason(error)}) ; réenregistrez le document.")
    letters = sum(map(str.isalpha, page.raw_text))
    if letters and (glued(page.raw_text) or legibility(page.raw_text) < READABLE):
        better = second_opinion(data, index, label)
        if better is not None and not glued(better.raw_text) and legibility(better.raw_text) >= READABLE:
            return better, None
        message = "son texte est brouillé (police sans table de caractères) ; réenregistrez-la ou passez-la par un OCR."
        return page, PageFailure(number, "unreadable_text", message)
    if not letters and cut:
        return page, PageFailure(number, "truncated", "vide, la fin du fichier manque ; téléchargez-le de nouveau.")
    if letters < SPARSE_LETTERS and page.has_images:
        return page, PageFailure(number, "no_text", f"une image sans texte, elle n'a pas été lue. {ocr.how_to_read()}.")
    return page, None


def _read_page(page: PageObject, number: int, label: str | None) -> RawPage:
    runs: list[tuple[int, Span]] = []

    def visit(text: str, cm: Matrix, tm: Matrix, font: Any, size: float) -> None:
        if text:
            runs.append(_run(text.translate(SHIFTED), _multiply(tm, cm), _is_bold(font), size, len(runs)))

    raw = page.extract_text(visitor_text=visit)
    filled = _filled(page)
    raw = "\n".join([raw, *(span.text for span in filled)]) if filled else raw
    box = page.cropbox if page.cropbox.width > 0 else page.mediabox
    width, height = abs(float(box.width)), abs(float(box.height))
    turn = _main_turn(runs)
    if turn % 180:
        width, height = height, width
    upright = [span for angle, span in runs if angle == turn or not span.text.strip()]
    aside = [span for angle, span in runs if angle != turn and span.text.strip()]
    return RawPage(
        number=number,
        label=label,
        width=width,
        height=height,
        raw_text=raw,
        lines=lines(upright) + lines(aside) + tuple(line for span in filled for line in lines([span])),
        links=_links(page),
        has_images=_has_images(page),
    )


def _multiply(a: Matrix, b: Matrix) -> Matrix:
    return [
        a[0] * b[0] + a[1] * b[2],
        a[0] * b[1] + a[1] * b[3],
        a[2] * b[0] + a[3] * b[2],
        a[2] * b[1] + a[3] * b[3],
        a[4] * b[0] + a[5] * b[2] + b[4],
        a[4] * b[1] + a[5] * b[3] + b[5],
    ]


def _run(text: str, m: Matrix, bold: bool, size: float, rank: int) -> tuple[int, Span]:
    """The span with its quarter turn; turned text is laid down again, so that its lines go from left to right."""
    angle = round(math.degrees(math.atan2(m[1], m[0])) / 90) * 90 % 360
    x, y = m[4], m[5]
    if angle == 90:
        x, y = y, -x
    elif angle == 180:
        x, y = -x, -y
    elif angle == 270:
        x, y = -y, x
    scale = math.hypot(m[2], m[3]) or 1.0
    return angle, Span(text, x, y, abs(size) * scale or 1.0, bold, rank)


def _main_turn(runs: list[tuple[int, Span]]) -> int:
    weights: Counter[int] = Counter()
    for angle, span in runs:
        weights[angle] += len(span.text.strip())
    return weights.most_common(1)[0][0] if weights else 0


def _is_bold(font: Any) -> bool:
    name = str((font or {}).get("/BaseFont", ""))
    return bool(re.search(r"bold|black|heavy|semibold|extrabold", name, re.IGNORECASE))


def _links(page: PageObject) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_uris(page)))


def _uris(page: PageObject) -> Iterator[str]:
    try:
        for annotation in page.annotations or ():
            action = annotation.get_object().get("/A")
            uri = action.get_object().get("/URI") if action is not None else None
            if isinstance(uri, str) and re.match(r"(?:https?|mailto):", uri):
                yield uri
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 — links are an extra: a broken one must not cost the page its text
        logger.debug("links unread: %s", type(error).__name__)


def _filled(page: PageObject) -> list[Span]:
    """What was written in the fields of a form, with each field's label where it says one: extraction leaves it out."""
    found = []
    try:
        for annotation in page.annotations or ():
            field = annotation.get_object()
            holder = field if "/V" in field else field.get("/Parent", {}).get_object()
            value = holder.get("/V")
            if field.get("/Subtype") != "/Widget" or not isinstance(value, str) or isinstance(value, NameObject):
                continue
            label, rect = field.get("/TU") or holder.get("/TU"), field["/Rect"]
            text = f"{label} : {value}" if isinstance(label, str) and label.strip() else value
            if value.strip():
                found.append(Span(" ".join(text.split()), float(rect[0]), float(rect[1]), FIELD_SIZE))
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 — fields are an extra: a broken one must not cost the page its text
        logger.debug("fields unread: %s", type(error).__name__)
    return found


def _has_images(page: PageObject) -> bool:
    try:
        objects = page.get("/Resources", {}).get_object().get("/XObject", {}).get_object()
        return any(objects[name].get_object().get("/Subtype") in ("/Image", "/Form") for name in objects)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 — only asked to say why a page has no text
        return True


def _labels(reader: PdfReader, count: int) -> list[str | None]:
    try:
        labels = list(reader.page_labels) if "/PageLabels" in reader.trailer["/Root"] else []  # type: ignore[operator]
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 — labels are an extra
        labels = []
    return [label or None for label in labels[:count]] + [None] * (count - len(labels))


def _information(reader: PdfReader) -> tuple[str | None, tuple[str, ...], str | None]:
    try:
        info = reader.metadata
        title = (info.title or "").strip() if info else ""
        author = (info.author or "").strip() if info else ""
        made = info.creation_date if info else None
        authors = tuple(filter(None, (name.strip() for name in re.split(r"[;,]", author))))
        return title or None, authors, made.date().isoformat() if made else None
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 — metadata are an extra
        return None, (), None
