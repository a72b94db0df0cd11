"""Office files are zip archives of XML: what is checked before any of it is unpacked or parsed."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from corpus.errors import ReadError

UNPACKED_BYTES = 300 * 2**20  # in all: pictures of a heavy presentation fit
XML_BYTES = 48 * 2**20  # of one part: its tree takes some ten times as much memory
PARTS = 20_000
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # compound file: Word 97, or an encrypted docx
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
DAMAGE = (
    *(zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, OSError, ValueError),
)


@contextmanager
def opened(data: bytes, name: str, part: str, mime: str = "") -> Iterator[io.BytesIO]:
    """The checked archive (see `check_archive`), to be read within: what its reader raises says that the file is damaged."""
    check_archive(data, name, part, mime)
    try:
        yield io.BytesIO(data)
    except (ReadError, MemoryError):
        raise
    except Exception as error:
        raise corrupt(name, error) from error


def check_archive(data: bytes, name: str, part: str, mime: str = "") -> None:
    """Raise ReadError unless `data` is a sound archive that holds `part` (and, for ODF, says `mime`), within the limits."""
    if data.startswith(OLD_OFFICE):
        if ENCRYPTED in data:
            raise ReadError(
                f"« {name} » est protégé par un mot de passe. Enregistrez-en une copie sans mot de passe.",
                code="encrypted",
            )
        raise ReadError(
            f"« {name} » est dans l'ancien format de Word ou PowerPoint. Réenregistrez-le en .docx, .pptx ou PDF.",
            code="wrong_type",
        )
    if not data.startswith(b"PK"):
        raise ReadError(
            f"« {name} » n'est pas ce que dit son nom. Vérifiez-le, ou convertissez-le en PDF.", code="wrong_type"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            _check_size(infos, name)
            names = {info.filename for info in infos}
            if part not in names:
                raise ReadError(f"« {name} » est une archive, mais pas du format que dit son nom.", code="wrong_type")
            if mime and "mimetype" in names and archive.read("mimetype").strip() != mime.encode():
                raise ReadError(f"« {name} » n'est pas du format que dit son nom.", code="wrong_type")
            if b"encryption-data" in (
                archive.read("META-INF/manifest.xml") if "META-INF/manifest.xml" in names else b""
            ):
                raise ReadError(
                    f"« {name} » est protégé par un mot de passe. Enregistrez-en une copie sans mot de passe.",
                    code="encrypted",
                )
            _check_entities(archive, infos, name)
    except DAMAGE as error:
        raise corrupt(name, error) from error
    except RuntimeError as error:  # an encrypted entry
        raise ReadError(
            f"« {name} » est chiffré : ajoutez-en une copie sans mot de passe.", code="encrypted"
        ) from error


def corrupt(name: str, error: BaseException) -> ReadError:
    return ReadError(
        f"« {name} » est abîmé et ne s'ouvre pas ({type(error).__name__}). Réenregistrez-le depuis le logiciel d'origine.",
        code="corrupt",
    )


def _check_size(infos: list[zipfile.ZipInfo], name: str) -> None:
    total = sum(info.file_size for info in infos)
    widest = max((info.file_size for info in infos if info.filename.lower().endswith((".xml", ".rels"))), default=0)
    if len(infos) > PARTS or total > UNPACKED_BYTES or widest > XML_BYTES:
        raise ReadError(
            f"« {name} » se déploie en {total // 2**20} Mo : trop pour un document. Découpez-le, ou convertissez-le en PDF.",
            code="too_large",
        )


def _check_entities(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], name: str) -> None:
    """Office formats never declare entities: a DOCTYPE there can only be meant to swell or to reach other files."""
    for info in infos:
        if info.filename.lower().endswith((".xml", ".rels")):
            with archive.open(info) as part:
                if b"<!DOCTYPE" in part.read(4096):
                    raise ReadError(f"« {name} » contient des entités XML, qui sont refusées.", code="corrupt")
