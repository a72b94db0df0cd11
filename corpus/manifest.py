"""Manifest: the official documents, as corpus/manifest.toml lists them; only its hosts are ever fetched from."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corpus.errors import ConfigurationError, UsageError
from corpus.notice import Notice
from corpus.slug import slug

MANIFEST = Path(__file__).with_name("manifest.toml")
UrlStatus = Literal["sure", "doubtful", "page", "none"]


class OfficialDocument(BaseModel):
    """One document of the manifest; manifest.toml says what each field means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", max_length=96)]
    title: str
    authors: tuple[str, ...]
    publisher: str
    kind: str
    url_status: UrlStatus
    language: str
    terms: str
    date: Annotated[str, Field(pattern=r"^\d{4}(?:-\d{2}){0,2}$")] | None = None
    url: str | None = None
    note: str | None = None
    replaces: tuple[str, ...] = ()

    @property
    def has_file_address(self) -> bool:
        return self.url is not None and self.url_status in ("sure", "doubtful")

    def notice(self) -> Notice:
        return Notice(
            title=self.title,
            authors=self.authors,
            publisher=self.publisher,
            date=self.date,
            kind=self.kind,
            language=self.language,
            source_url=self.url,
            licence=self.terms,
            replaces=self.replaces,
        )


class Manifest(BaseModel):
    """All of them, by id."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    document: tuple[OfficialDocument, ...] = ()

    @property
    def hosts(self) -> frozenset[str]:
        """Lower-case hosts of the addresses, each with and without « www. »."""
        named = {(urlsplit(d.url).hostname or "").lower() for d in self.document if d.url}
        bare = {host.removeprefix("www.") for host in named if host}
        return frozenset(named | bare | {f"www.{host}" for host in bare if not host.replace(".", "").isdigit()})

    def get(self, identifier: str) -> OfficialDocument | None:
        return next((d for d in self.document if d.id == identifier), None)

    def require(self, identifier: str) -> OfficialDocument:
        """Raises UsageError where the manifest has no such document."""
        found = self.get(identifier)
        if found is None:
            raise UsageError(
                f"« {identifier} » n'est pas au manifeste. La liste est donnée par : boussole corpus list",
                code="unknown_document",
            )
        return found

    def by_title(self, title: str) -> OfficialDocument | None:
        """The document of this title, however it is typed; None where two bear it."""
        found = [d for d in self.document if slug(d.title) == slug(title)]
        return found[0] if len(found) == 1 else None


def load_manifest(path: Path = MANIFEST) -> Manifest:
    """Raises ConfigurationError, saying which document and field are wrong."""
    try:
        manifest = Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigurationError(f"Manifeste introuvable : « {path} ». Vérifiez BOUSSOLE_MANIFEST.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"Manifeste « {path.name} » illisible ({error}). Corrigez-le.") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = " › ".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"Manifeste « {path.name} » : {where} : {first['msg']}. Corrigez-le.") from error
    seen = set[str]()
    for document in manifest.document:
        if document.id in seen:
            raise ConfigurationError(f"Manifeste « {path.name} » : l'identifiant « {document.id} » y est deux fois.")
        seen.add(document.id)
        if (document.url is None) != (document.url_status == "none"):
            raise ConfigurationError(
                f'Manifeste « {path.name} » : « {document.id} » doit avoir une adresse, ou url_status = "none".'
            )
    return manifest
