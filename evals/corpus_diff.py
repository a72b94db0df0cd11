"""What differs between two runs besides the answers: documents, cutting, model, settings, program."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from evals.run import DocumentPrint, RunInfo

# Settings that change no answer: where things are and how many threads compute.
NEUTRAL = {"threads", "log_questions", "feedback_days", "llm_timeout"}


class CorpusDiff(BaseModel):
    """Document ids. `renamed`: old id → new id, same text; `recut`: same text, other chunks."""

    model_config = ConfigDict(frozen=True)

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: dict[str, str] = {}
    recut: tuple[str, ...] = ()
    reread: tuple[str, ...] = ()  # same file, other text: the reader changed, not the document
    fewer_pages: tuple[str, ...] = ()

    @property
    def touched(self) -> frozenset[str]:
        return frozenset((*self.added, *self.removed, *self.changed, *self.renamed, *self.renamed.values()))


class ProgramDiff(BaseModel):
    """What of the program differs, in French words for people: model, settings, code, packages."""

    model_config = ConfigDict(frozen=True)

    model: bool = False
    llm: bool = False
    settings: tuple[str, ...] = ()
    chunking: bool = False
    code: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    def in_words(self) -> list[str]:
        found = ["modèle de plongement"] * self.model + ["modèle de rédaction"] * self.llm
        found += [f"réglages ({', '.join(self.settings)})"] if self.settings else []
        found += ["tailles de découpage"] * self.chunking
        found += [f"code de {room}/" for room in self.code]
        found += [f"bibliothèques ({', '.join(self.packages)})"] if self.packages else []
        return found


def corpus_diff(before: RunInfo, after: RunInfo) -> CorpusDiff:
    old, new = before.documents, after.documents
    gone, come = [d for d in old if d not in new], [d for d in new if d not in old]
    renamed = _renamed({d: old[d] for d in gone}, {d: new[d] for d in come})
    both = [d for d in new if d in old]
    changed = [d for d in both if old[d].text != new[d].text]
    return CorpusDiff(
        added=tuple(d for d in come if d not in renamed.values()),
        removed=tuple(d for d in gone if d not in renamed),
        changed=tuple(changed),
        renamed=renamed,
        recut=tuple(d for d in both if d not in changed and old[d].chunks != new[d].chunks),
        reread=tuple(d for d in changed if old[d].sha256 == new[d].sha256),
        fewer_pages=tuple(d for d in both if new[d].pages < old[d].pages),
    )


def _renamed(gone: dict[str, DocumentPrint], come: dict[str, DocumentPrint]) -> dict[str, str]:
    by_text = {found.text: name for name, found in come.items()}
    return {name: by_text[found.text] for name, found in gone.items() if found.text in by_text}


def program_diff(before: RunInfo, after: RunInfo) -> ProgramDiff:
    names = sorted((set(before.settings) | set(after.settings)) - NEUTRAL)
    packages = sorted(set(before.versions) & set(after.versions))
    return ProgramDiff(
        model=before.model != after.model,
        llm=before.llm != after.llm,
        settings=tuple(n for n in names if before.settings.get(n) != after.settings.get(n)),
        chunking=before.chunking != after.chunking,
        code=tuple(room for room in sorted(after.code) if before.code.get(room) != after.code[room]),
        packages=tuple(p for p in packages if before.versions[p] != after.versions[p]),
    )
