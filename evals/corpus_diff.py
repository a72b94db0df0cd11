"""What differs between two runs besides the answers: documents, cutting, model, settings, program."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel, ConfigDict

from evals.run import DocumentPrint, RunInfo

# Settings that change no answer: where things are and how many threads compute.
NEUTRAL = {"threads", "log_questions", "feedback_days", "llm_timeout"}


class CorpusDiff(BaseModel):
    """Document ids. `renamed`: old id → new id, same text; `recut`: same text, other chunks; `reread`: same file, other text
    (the reader changed, not the document)."""

    model_config = ConfigDict(frozen=True)

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    renamed: dict[str, str] = {}
    recut: tuple[str, ...] = ()
    reread: tuple[str, ...] = ()
    retitled: tuple[str, ...] = ()
    same_title: tuple[str, ...] = ()  # of the retitled, those that now bear one title: it was lost, not chosen
    replaced: dict[str, str] = {}  # of the removed: document → its newer version
    fewer_pages: tuple[str, ...] = ()

    @property
    def touched(self) -> frozenset[str]:
        return frozenset(
            (*self.added, *self.removed, *self.changed, *self.retitled, *self.renamed, *self.renamed.values())
        )

    def in_words(self, concerned: frozenset[str]) -> str:
        """What happened to some of the documents, each named."""
        parts = []
        for label, names in (
            ("ajouté", self.added),
            ("retiré", self.removed),
            ("lu autrement", self.reread),
            ("changé", tuple(d for d in self.changed if d not in self.reread)),
            ("d'un autre titre", self.retitled),
            ("renommé", (*self.renamed, *self.renamed.values())),
        ):
            if found := sorted(concerned & set(names)):
                parts.append(f"document {label} : {', '.join(found)}")
        return " ; ".join(parts)


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
    retitled = tuple(d for d in both if old[d].title != new[d].title)
    titles = Counter(new[d].title for d in retitled)
    return CorpusDiff(
        added=tuple(d for d in come if d not in renamed.values()),
        removed=tuple(d for d in gone if d not in renamed),
        changed=tuple(changed),
        renamed=renamed,
        recut=tuple(d for d in both if d not in changed and old[d].chunks != new[d].chunks),
        retitled=retitled,
        same_title=tuple(d for d in retitled if titles[new[d].title] > 1),
        replaced={d: after.superseded[d] for d in gone if d in after.superseded},
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
