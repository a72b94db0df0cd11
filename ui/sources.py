"""What these settings index: the starter corpus or the named sources, and the operator's library with what is known of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corpus.library import Library
    from corpus.notice import Notice
    from rag.settings import Settings


def open_library(settings: Settings) -> Library:
    """The operator's documents. Raises ConfigurationError where the manifest or the lock can't be read."""
    from corpus.library import Library
    from corpus.manifest import load_manifest

    return Library(settings.data / "documents", load_manifest(settings.manifest))


def default_sources(settings: Settings, library: Library) -> tuple[Path, ...]:
    """What is indexed when nothing is named on the command line."""
    from rag.settings import STARTER_CORPUS

    named = tuple(Path(part) for part in settings.sources.split(":") if part)
    folder = (library.folder,) if library.folder.is_dir() else ()
    return (*(named or (STARTER_CORPUS,)), *folder, *library.files())


def describer(library: Library) -> Callable[[Path], Notice | None]:
    """The notice of each file: the library's, or for a fiche of ours who publishes it and under which terms."""
    from corpus.notice import Notice
    from rag.settings import STARTER_CORPUS

    ours = Notice(kind="fiche", publisher="Boussole 17", licence="Apache-2.0")
    starter = STARTER_CORPUS.resolve()

    def describe(path: Path) -> Notice | None:
        return ours if path.parent == starter else library.notice(path)

    return describe
