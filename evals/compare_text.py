"""A comparison said in a terminal, both answers side by side, and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evals.compare import Comparison, Turned
from evals.corpus_diff import CorpusDiff
from evals.metrics import BY_NAME
from evals.outcome import Outcome
from evals.summary import counted, french

WIDTH = 110  # where the output isn't a terminal
VERDICTS = {"worse": "recul", "better": "progrès", "same": "="}
TURNS = {
    "wrong": "devenue fausse",
    "worse": "moins bonne",
    "better": "meilleure",
    "right": "devenue juste",
    "other": "autre",
}
CAUSES = {"corpus": "corpus", "retrieval": "recherche", "composition": "composition"}
ISSUES = {"answered": "répondu", "abstained": "abstention", "refused": "refus", "failed": "échec"}


def as_object(found: Comparison) -> dict[str, Any]:
    """The JSON of `evals compare`."""
    fields = found.model_dump(mode="json", exclude={"turned"})
    fields["regressed"] = bool(found.regressions)
    fields["turned"] = [
        turned.model_dump(mode="json", exclude={"before": _BULK, "after": _BULK}) for turned in found.turned
    ]
    return fields


_BULK = {"fingerprint", "question", "history", "kind", "answerable"}


def show(found: Comparison, console: Console) -> None:
    console.print(f"Questions comparées : {found.paired}. {_others(found)}", highlight=False)
    for line in (*corpus_words(found.corpus), *_program(found)):
        console.print(escape(line), highlight=False)
    console.print(_metrics(found))
    for turned in (*found.of("wrong"), *found.of("worse"), *found.of("right"), *found.of("better")):
        console.print(_side_by_side(turned))
    console.print(sentence(found), highlight=False)


def sentence(found: Comparison) -> str:
    """The comparison in one sentence."""
    wrong, right, other = (len(found.of(*t)) for t in (("wrong", "worse"), ("right", "better"), ("other",)))
    counts = (
        f"{counted(wrong, 'réponse moins bonne', 'réponses moins bonnes')}, {counted(right, 'meilleure', 'meilleures')}, "
        f"{counted(other, 'autre', 'autres')} à valeur égale"
    )
    if found.regressions:
        return f"Recul significatif : {', '.join(map(said, found.regressions))} ; {counts}."
    if found.progress:
        return f"Progrès significatif : {', '.join(map(said, found.progress))} ; {counts}."
    return f"Aucun recul significatif : {counts}."


def said(change: Any) -> str:
    return f"{BY_NAME[change.metric].label} ({french(f'{change.before:.3f} → {change.after:.3f}')})"


def corpus_words(diff: CorpusDiff) -> Iterator[str]:
    """One line for each way in which documents differ."""
    for label, names in (
        ("Documents ajoutés", diff.added),
        ("Documents retirés", diff.removed),
        ("Documents dont le texte a changé", diff.changed),
        ("Mêmes fichiers, lus autrement", diff.reread),
        ("Documents dont le titre a changé", diff.retitled),
        ("Mêmes textes, découpés autrement", diff.recut),
        ("Documents remplacés par une version plus récente", tuple(f"{a} → {b}" for a, b in diff.replaced.items())),
        ("Documents renommés", tuple(f"{a} → {b}" for a, b in diff.renamed.items())),
    ):
        if names:
            shown = ", ".join(names[:8]) + (f" et {len(names) - 8} autres" if len(names) > 8 else "")
            yield f"{label} : {shown}"


def _program(found: Comparison) -> Iterator[str]:
    if words := found.program.in_words():
        yield f"Programme : {', '.join(words)}"


def _others(found: Comparison) -> str:
    parts = []
    if found.rewritten:
        parts.append(f"{len(found.rewritten)} référence(s) réécrite(s)")
    if found.only_before:
        parts.append(f"{len(found.only_before)} qui n'est plus posée" if len(found.only_before) == 1 else "")
        parts[-1] = parts[-1] or f"{len(found.only_before)} qui ne sont plus posées"
    if found.only_after:
        parts.append(f"{len(found.only_after)} nouvelle(s)")
    return f"Non comparées : {', '.join(parts)}." if parts else ""


def _metrics(found: Comparison) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=False)
    for name in ("mesure", "avant", "après", "écart [95 %]", "mieux / moins bien", "p (Holm)", ""):
        table.add_column(name, justify="left" if name == "mesure" else "right")
    for change in found.changes:
        table.add_row(
            BY_NAME[change.metric].label,
            french(f"{change.before:.3f}"),
            french(f"{change.after:.3f}"),
            escape(french(f"{change.difference:+.3f} [{change.low:+.3f} ; {change.high:+.3f}]")),
            f"{change.better} / {change.worse}",
            french(f"{change.p_corrected:.4f}"),
            VERDICTS[change.verdict],
        )
    return table


def _side_by_side(turned: Turned) -> Table:
    asked = " → ".join((*turned.history, turned.question))
    title = f"{turned.id} · {TURNS[turned.turn]} · {CAUSES[turned.cause]} : {turned.why}\n« {asked} »"
    table = Table(box=box.ROUNDED, title=escape(title), title_justify="left", expand=True, show_header=True)
    table.add_column(f"avant ({ISSUES[turned.before.issue]})", ratio=1)
    table.add_column(f"après ({ISSUES[turned.after.issue]})", ratio=1)
    table.add_row(_answer(turned.before), _answer(turned.after))
    return table


def _answer(outcome: Outcome) -> str:
    pages = ", ".join(f"{document} p. {page}" for document, page in outcome.cited)
    return escape(outcome.answer + (f"\n({pages})" if pages else ""))
