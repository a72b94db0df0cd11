"""Notice: what the manifest or the operator says of a file, which wins over what the file says of itself."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from corpus.document import DocumentMetadata


@dataclass(frozen=True)
class Notice:
    """Only what is known is given; the rest is read from the file."""

    title: str | None = None
    authors: tuple[str, ...] = ()
    publisher: str | None = None
    date: str | None = None
    kind: str | None = None
    language: str | None = None
    source_url: str | None = None
    licence: str | None = None
    replaces: tuple[str, ...] = ()  # ids of the documents that this one takes the place of

    def over(self, read: DocumentMetadata) -> DocumentMetadata:
        """The file's own metadata with what is known put over it."""
        known = {f.name: value for f in fields(self) if f.name != "replaces" and (value := getattr(self, f.name))}
        return replace(read, **known)
