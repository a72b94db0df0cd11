"""`python -m corpus.measure_repair [FILE…]`: what the repair restores, and what it harms.

On clean French text (by default the sources of our own fiches; or any .txt, .md, or .jsonl with a `text`):
- put through the noise model: share of damaged words restored, share of the sound ones harmed;
- with only its accents lost: the same two;
- as it is: share of words changed, which are all harm.
Words are compared up to the shape of apostrophes and the accent of an initial capital, which many leave out (« A partir »,
« Etat ») and whose mending harms nobody.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.noise import ACCENTS_ONLY, Rates, damage
from corpus.repair import repair

DOCUMENTS = Path(__file__).with_name("documents")
SHORTEST = 40  # characters of a paragraph that is measured


@dataclass(frozen=True)
class Measure:
    """Counts of words. `damaged` by the noise, of which `restored`; `sound` after it, of which `harmed` by the repair."""

    damaged: int = 0
    restored: int = 0
    sound: int = 0
    harmed: int = 0

    def __add__(self, other: Measure) -> Measure:
        return Measure(
            self.damaged + other.damaged,
            self.restored + other.restored,
            self.sound + other.sound,
            self.harmed + other.harmed,
        )

    @property
    def restored_share(self) -> float:
        return self.restored / self.damaged if self.damaged else 0.0

    @property
    def harmed_share(self) -> float:
        return self.harmed / self.sound if self.sound else 0.0


def measure(paragraphs: Iterable[str], rates: Rates | None, accents: bool | None, seed: int = 17) -> Measure:
    """Damage each paragraph with `rates` (None: not at all), repair it, and count. `accents`: see `repair`."""
    total = Measure()
    for number, clean in enumerate(paragraphs):
        noisy = damage(clean, seed + number, rates) if rates is not None else clean
        total += compare(clean, noisy, repair(noisy, accents))
    return total


def compare(clean: str, noisy: str, repaired: str) -> Measure:
    """The counts of one paragraph."""
    words, before, after = _words(clean), _words(noisy), _words(repaired)
    sound, right = _kept(words, before), _kept(words, after)
    damaged = set(range(len(words))) - sound
    return Measure(len(damaged), len(damaged & right), len(sound), len(sound - right))


def _words(text: str) -> list[str]:
    return [_plain_capital(word) for word in text.replace("’", "'").split()]


def _plain_capital(word: str) -> str:
    first = unicodedata.normalize("NFD", word[:1])[:1]
    return first + word[1:] if first.isupper() else word


def _kept(words: Sequence[str], others: Sequence[str]) -> set[int]:
    """Places of `words` that `others` hold too, in order."""
    blocks = difflib.SequenceMatcher(None, words, others, autojunk=False).get_matching_blocks()
    return {block.a + offset for block in blocks for offset in range(block.size)}


def paragraphs(paths: Iterable[Path]) -> list[str]:
    """Clean paragraphs of running text, without Markdown's signs."""
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            parts = [json.loads(line).get("text", "") for line in text.splitlines() if line.strip()]
        else:
            parts = re.split(r"\n\s*\n", re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL))
        found += [" ".join(_plain(part).split()) for part in parts if not part.lstrip().startswith(("|", "```"))]
    return [part for part in found if len(part) >= SHORTEST]


def _plain(text: str) -> str:
    text = re.sub(r"\[\^\w+\]:?|^[#>\-*\s]+|\*\*|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)", "", text, flags=re.MULTILINE)
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", text)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Mesure la réparation du français : ce qu'elle rétablit, ce qu'elle abîme."
    )
    parser.add_argument(
        "file", nargs="*", type=Path, help="textes propres (.md, .txt, .jsonl) ; par défaut, nos fiches"
    )
    parser.add_argument("--seed", type=int, default=17, help="graine du bruit (17)")
    parser.add_argument("--json", action="store_true", help="une ligne de JSON")
    options = parser.parse_args(arguments)
    missing = [str(path) for path in options.file if not path.is_file()]
    if missing:
        print(f"Fichier introuvable : {', '.join(missing)}. Vérifiez le chemin.", file=sys.stderr)
        return 2
    clean = paragraphs(options.file or sorted(DOCUMENTS.glob("*.md")))
    cases = {
        "bruit complet": measure(clean, Rates(), True, options.seed),
        "accents perdus": measure(clean, ACCENTS_ONLY, True, options.seed),
        "texte propre": measure(clean, None, None, options.seed),
        "texte propre, tenu pour abîmé": measure(clean, None, True, options.seed),
    }
    if options.json:
        print(json.dumps({name: {**vars(found), "restored_share": found.restored_share, "harmed_share": found.harmed_share} for name, found in cases.items()}, ensure_ascii=False))  # fmt: skip
        return 0
    for name, found in cases.items():
        restored = (
            f"{found.restored}/{found.damaged} mots rétablis ({found.restored_share:.1%})" if found.damaged else "—"
        )
        print(f"{name:32} {restored:42} {found.harmed}/{found.sound} abîmés ({found.harmed_share:.3%})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
