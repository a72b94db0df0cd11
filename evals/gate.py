"""May this index be published? What a new measure says beside the accepted one: reasons that stop, and what is good to know.

Some things stop whatever the statistics (a promise broken for one answer, a reference that the corpus no longer bears out,
a document lost or without any reference); answers as a whole are judged by the paired tests of `compare`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from evals.compare import Comparison
from evals.compare_text import CAUSES, corpus_words, said
from evals.kinds import kind_label
from evals.metrics import BY_NAME, FLOORS, Metric
from evals.outcome import Measured, Outcome
from evals.ranking import SIGNALS
from evals.run import Run
from evals.significance import LEVEL, SMALLEST, paired_p
from evals.stale import Staleness
from evals.summary import counted, french

# A regression that all metrics together drown: so many questions of one document or kind, and so much of it, turned wrong.
LOST_AT_LEAST = 3
LOST_SHARE = 0.5
INDEXED_LOSS = 0.02  # share of a document's letters that may leave its chunks
# Another processor rounds otherwise and may turn a near tie: so many questions, and so many of all, can't come from that.
UNEXPLAINED_AT_LEAST, UNEXPLAINED_SHARE = 3, 0.05
OF_RETRIEVAL = ("R@5", "nDCG@10", *(f"signal:{name}" for name in SIGNALS))
TOGETHER = {
    "regression": ("recul significatif de ", "mesure", "mesures"),
    "concentrated": ("réponses devenues fausses : ", "groupe", "groupes"),
}
TOLD = 3  # reasons in the sentence; the others follow it


class Remark(BaseModel):
    """One thing that the gate found; `items`: documents or questions; `short`: how the sentence names it among others of its
    kind."""

    model_config = ConfigDict(frozen=True)

    code: str
    message: str
    items: tuple[str, ...] = ()
    short: str = ""


class Verdict(BaseModel):
    model_config = ConfigDict(frozen=True)

    publish: bool
    sentence: str
    reasons: tuple[Remark, ...]
    notices: tuple[Remark, ...]


def judge(run: Run, found: Comparison, stale: Staleness, before: Measured, after: Measured) -> Verdict:
    """The verdict on a run, compared with the accepted measure."""
    reasons = (
        *_failures(run),
        *(remark for remark, known in _floors(run, before) if not known),
        *_stale(stale),
        *_documents(found, stale, before),
        *_chunks(found, before, after),
        *_regressions(found, before),
        *_unexplained(found),
    )
    known = (remark for remark, known in _floors(run, before) if known)
    notices = (*known, *_notices(found, stale, before, after))
    return Verdict(
        publish=not reasons,
        sentence=_sentence(run, found, stale, reasons),
        reasons=reasons,
        notices=notices,
    )


def _sentence(run: Run, found: Comparison, stale: Staleness, reasons: Sequence[Remark]) -> str:
    if reasons:
        told = list(_told(reasons))
        left = len(told) - TOLD
        others = f" ; et {counted(left, 'autre raison', 'autres raisons')} ci-dessous" if left > 0 else ""
        return f"Ne publiez pas : {' ; '.join(told[:TOLD])}{others}{_cause(found, reasons)}."
    turned = len(found.of("wrong", "worse")), len(found.of("right", "better"))
    moved = len({m.id for m in stale.moved})
    said = counted(moved, "référence suivie à sa nouvelle place", "références suivies à leur nouvelle place")
    followed = f" ; {said}" if moved else ""
    if not found.turned:
        return f"Vous pouvez publier : {run.info.questions} questions, aucune réponse n'a changé{followed}."
    return (
        f"Vous pouvez publier : {run.info.questions} questions, aucun recul significatif "
        f"({counted(turned[0], 'réponse moins bonne', 'réponses moins bonnes')}, "
        f"{counted(turned[1], 'meilleure', 'meilleures')}){followed}."
    )


def _told(reasons: Sequence[Remark]) -> Iterator[str]:
    """The reasons as the sentence says them: those of one kind together, at the place of the first."""
    for number, reason in enumerate(reasons):
        family = _family(reason)
        alike = [r for r in reasons if _family(r) == family]
        if family not in TOGETHER:
            yield reason.message
        elif alike[0] is reasons[number]:
            start, one, many = TOGETHER[family]
            more = f" et {counted(len(alike) - 2, f'autre {one}', f'autres {many}')}" if len(alike) > 2 else ""
            yield start + ", ".join(r.short for r in alike[:2]) + more


def _family(reason: Remark) -> str:
    return reason.code.split("_")[0]


def _cause(found: Comparison, reasons: Sequence[Remark]) -> str:
    """Where most of the answers that are less good come from, where that is what the sentence speaks of."""
    lost = found.of("wrong", "worse")
    if not any(_family(r) in ("regression", "concentrated", "answers") for r in reasons):
        return ""
    if not lost:
        found_less = any(change.metric in OF_RETRIEVAL for change in found.regressions)
        return " ; cause : recherche" if found_less else ""
    ((cause, count),) = Counter(turned.cause for turned in lost).most_common(1)
    named = Counter(document for turned in lost if turned.cause == cause for document in turned.documents)
    documents = f" ({_few([name for name, _ in named.most_common()], 3)})" if named else ""
    return f" ; cause : {CAUSES[cause]}{documents}, pour {count} des {len(lost)} réponses moins bonnes"


def _failures(run: Run) -> Iterator[Remark]:
    failed = tuple(line.id for line in run.lines if line.error is not None)
    if failed:
        yield Remark(
            code="failed",
            message=f"l'assistant a échoué sur {counted(len(failed), 'question', 'questions')}",
            items=failed,
        )


def _floors(run: Run, before: Measured) -> Iterator[tuple[Remark, bool]]:
    """Promises broken, apart: by answers that the accepted measure already had so, and by others."""
    for name, floor in FLOORS.items():
        metric = BY_NAME[name]
        kept = [line for line in run.lines if line.error is None and name in line.values]
        broken = {line.id for line in kept if _breaks(line.values[name], floor, metric)}
        accepted = {
            q for q, o in before.outcomes.items() if name in o.values and _breaks(o.values[name], floor, metric)
        }
        for ids, known in ((broken - accepted, False), (broken & accepted, True)):
            if ids:
                since = " (déjà dans la mesure acceptée)" if known else ""
                message = f"la promesse « {metric.label} » n'est pas tenue dans {counted(len(ids), 'réponse', 'réponses')}{since}"
                yield Remark(code=f"floor_{name}", message=message, items=tuple(sorted(ids))), known


def _breaks(value: float, floor: float, metric: Metric) -> bool:
    return value > floor + SMALLEST if metric.higher_is_better is False else value < floor - SMALLEST


def _stale(stale: Staleness) -> Iterator[Remark]:
    for state, words in (
        ("gone", "dont la preuve a disparu"),
        ("changed", "dont la preuve a changé"),
        ("fact_absent", "dont le fait attendu n'est pas sur la page"),
    ):
        found = [broken for broken in stale.stale if broken.state == state]
        ids = tuple(dict.fromkeys(broken.id for broken in found))
        documents = list(dict.fromkeys(broken.document_id for broken in found if broken.document_id))
        if ids:
            where = f", dans {_few(documents, 3)}" if documents else ""
            message = f"{counted(len(ids), 'référence', 'références')} {words} ({_few(ids)}{where}), à revoir avec evals stale"
            yield Remark(code=f"stale_{state}", message=message, items=ids)


def _documents(found: Comparison, stale: Staleness, before: Measured) -> Iterator[Remark]:
    diff = found.corpus
    lost = tuple(d for d in diff.removed if d not in diff.replaced)
    if lost:
        message = f"{counted(len(lost), 'document a', 'documents ont')} quitté l'index ({_few(lost)})"
        yield Remark(code="document_lost", message=message, items=lost)
    if diff.same_title:
        message = f"des documents ont perdu leur titre ({_few(diff.same_title)} portent le même)"
        yield Remark(code="titles_lost", message=message, items=diff.same_title)
    if diff.fewer_pages:
        message = f"des pages manquent dans {_few(diff.fewer_pages)}"
        yield Remark(code="pages_lost", message=message, items=diff.fewer_pages)
    covered = {document for outcome in before.outcomes.values() for document in outcome.documents}
    old = set(before.info.documents)
    bare = tuple(d for d in stale.uncovered if d in covered or (d not in old and d not in diff.renamed.values()))
    if bare:
        message = f"aucune référence ne couvre {_few(bare)} (proposez-en : evals draft {bare[0]})"
        yield Remark(code="uncovered", message=message, items=bare)


def _chunks(found: Comparison, before: Measured, after: Measured) -> Iterator[Remark]:
    """What stands on the pages must stand in the chunks."""
    lost = tuple(
        q
        for q, outcome in after.outcomes.items()
        if outcome.values.get("evidence_indexed", 1.0)
        < _known(before.outcomes.get(q), "evidence_indexed", 1.0) - SMALLEST
    )
    if lost:
        message = f"la preuve de {counted(len(lost), 'référence', 'références')} est sur sa page mais plus dans les passages de l'index"
        yield Remark(code="evidence_lost", message=message, items=lost)
    old, new = before.info.documents, after.info.documents
    thin = tuple(d for d in new if d in old and new[d].indexed < old[d].indexed - INDEXED_LOSS)
    thin += tuple(d for d in found.corpus.added if new[d].indexed < 1 - 10 * INDEXED_LOSS)
    if thin:
        yield Remark(code="text_lost", message=f"du texte de {_few(thin)} n'est plus dans les passages", items=thin)


def _known(outcome: Outcome | None, name: str, default: float) -> float:
    return default if outcome is None else outcome.values.get(name, default)


def _regressions(found: Comparison, before: Measured) -> Iterator[Remark]:
    yield from _less_good(found)
    for change in found.regressions:
        short = f"« {said(change)} »"
        yield Remark(code=f"regression_{change.metric}", message=f"recul significatif de {short}", short=short)
    yield from _concentrated("du document", lambda outcome: outcome.documents, found, before)
    yield from _concentrated("du genre", lambda outcome: (outcome.kind,), found, before)


def _less_good(found: Comparison) -> Iterator[Remark]:
    """How right answers are is the one thing that was set beforehand to be tested, so its test needs no correction: the
    metrics that explain it are corrected together (a primary endpoint and secondary ones)."""
    lost, won = found.of("wrong", "worse"), found.of("right", "better")
    gained = [turned.after.mark - turned.before.mark for turned in (*lost, *won)]
    p = paired_p(np.array(gained, float))
    if lost and sum(gained) < 0 and p < LEVEL:
        chance = "p < 0,001" if p < 0.001 else f"p = {french(f'{p:.3f}')}"
        less, more = (
            counted(len(lost), "réponse moins bonne", "réponses moins bonnes"),
            counted(len(won), "meilleure", "meilleures"),
        )
        message = f"{less} pour {more}, plus que le hasard ({chance})"
        yield Remark(code="answers_worse", message=message, items=tuple(turned.id for turned in lost))


def _unexplained(found: Comparison) -> Iterator[Remark]:
    ids = found.unexplained
    if len(ids) >= max(UNEXPLAINED_AT_LEAST, UNEXPLAINED_SHARE * found.paired):
        message = (
            f"{len(ids)} questions sur {found.paired} ne donnent plus les mêmes passages ou la même réponse, alors que ni les "
            "documents ni le programme n'ont changé : l'index ou l'installation est abîmé (essayez boussole index --rebuild)"
        )
        yield Remark(code="unexplained", message=message, items=ids)


def _concentrated(
    label: str, names_of: Callable[[Outcome], Sequence[str]], found: Comparison, before: Measured
) -> Iterator[Remark]:
    """Where one document or kind lost at least half of its right answers."""
    asked = Counter(name for outcome in before.outcomes.values() for name in names_of(outcome))
    lost = Counter(name for t in found.of("wrong") for name in names_of(t.before))
    won = Counter(name for t in found.of("right") for name in names_of(t.before))
    for key, count in lost.items():
        name = kind_label(key) if label == "du genre" else key
        if count - won[key] >= max(LOST_AT_LEAST, LOST_SHARE * asked[key]):
            message = f"{count} des {asked[key]} réponses {label} « {name} » sont devenues fausses"
            items = tuple(t.id for t in found.of("wrong") if key in names_of(t.before))
            yield Remark(
                code="concentrated", message=message, items=items, short=f"« {name} » ({count} sur {asked[key]})"
            )


def _notices(found: Comparison, stale: Staleness, before: Measured, after: Measured) -> Iterator[Remark]:
    """What doesn't stop, and a maintainer will want to know."""
    for line in corpus_words(found.corpus):
        yield Remark(code="corpus", message=line)
    if words := found.program.in_words():
        yield Remark(code="program", message=f"Le programme a changé : {', '.join(words)}")
    if stale.moved:
        yield Remark(
            code="re_anchored",
            message="Références dont le texte a changé de place et qui ont été suivies (evals stale --fix les réécrit)",
            items=tuple(moved.in_words() for moved in stale.moved),
        )
    known = tuple(d for d in stale.uncovered if d in before.info.documents)
    if known:
        yield Remark(code="still_uncovered", message="Documents toujours sans référence", items=known)
    for code, message, items in (
        ("new", "Nouvelles références, sans mesure à comparer", found.only_after),
        ("rewritten", "Références réécrites, non comparées", found.rewritten),
        ("dropped", "Références qui ne sont plus posées", found.only_before),
        ("unanswered", "Questions qui ne reçoivent plus de réponse", _now(found, True, "answered", "abstained")),
        (
            "answered_now",
            "Questions jugées sans réponse et maintenant répondues : le corpus y répond-il ?",
            _now(found, False, "abstained", "answered"),
        ),
        ("missed", "Nouvelles références dont la réponse n'est pas la bonne", _missed(found, after)),
    ):
        if items:
            yield Remark(code=code, message=message, items=items)


def _now(found: Comparison, answerable: bool, was: str, became: str) -> tuple[str, ...]:
    return tuple(
        t.id
        for t in found.turned
        if t.after.answerable == answerable and t.before.issue == was and t.after.issue == became
    )


def _missed(found: Comparison, after: Measured) -> tuple[str, ...]:
    unknown = (*found.only_after, *found.rewritten)
    return tuple(q for q in unknown if after.outcomes[q].mark < 1)


def _few(names: Sequence[str], count: int = 5) -> str:
    shown = ", ".join(names[:count])
    return shown if len(names) <= count else f"{shown} et {len(names) - count} autres"
