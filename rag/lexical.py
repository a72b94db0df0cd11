"""French-aware lexical search: tokens, and BM25 over them (bm25s; Robertson & Zaragoza, "The Probabilistic Relevance
Framework", 2009).

Tokens are lower-cased, split at elisions (`l'alliance` → `alliance`), folded (no accents: OCR loses them) and lightly
stemmed (Snowball French). One-letter words and numbers stay: « les 4 C », « 10+1 % », « 7 € » must be found.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from corpus.lexicon import forms, frequency, is_right

_TOKEN = re.compile(r"[a-z]&[a-z]\b|\d+(?:[.,]\d+)?|[a-z]+(?:\.[a-z]\b)*|[%€]")
_ORDINAL = re.compile(r"\b(\d+)(?:ers?|eres?|emes?|es?|nde?s?)\b")  # « 6e » is 6
# « copiloté » is « co-piloté »
_TOGETHER = re.compile(
    r"\bco(?=pilot|construi|construct|financ|dirig|organis|produ(?:i|c)|cree|creat|fond(?:e|a)|anim|sign(?:e|a)|auteur|redig)"
)
_ELISION = re.compile(r"\b(?:qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|[cdjlmnst])['’ʼ`](?=\w)")

FAMILY = 0.7  # share of the longer word that two words of one family begin with
MISPRINTED = 8  # letters of a known word that may be a misprint
WORDS_KEPT = 512  # of the last questions, in memory only
MISPRINTS, OFTEN = 2, 5  # chunks that hold one at most, and how many times more hold the right word
FREQUENT, RARE = 5.0, 11.5  # -log of a word's share of running French: « on » and what tells as much as a word can
LEAST_FAMILY = 6  # letters that both have: « somme » isn't « sommet »
FIRST_MARK = "\u0300"  # no character before it is a combining one

STOP_WORDS = frozenset(
    """
    a ai aie ainsi alors ans apres as au aucun aura aussi autre aux avait avant avec avez avoir avons ayant car ce
    ceci cela celle celles celui ces cet cette ceux chaque ci comme comment d dans de des du depuis donc dont elle
    elles en encore entre es est et etaient etait etant etc ete etes etre eu eux fait faire font fut ici il ils j je
    l la le les leur leurs lors lorsque lui m ma mais me meme memes mes mon n ne ni nos notre nous on ont or ou par
    parce pas pendant durant peu peut peuvent peux plus pour pourquoi pouvez pouvoir pu puis qu quand que quel quelle quelles quels
    qui quoi s sa sans se sera serait seront ses si soit sommes son sont sous suis sur t ta te tel telle tes toi ton
    tous tout toute toutes tres trop tu un une vers voici voila vos votre vous y combien quelqu svp merci bonjour
    dit dire veut dis sais savoir donne donner donnez moi stp ca dois doit faut est-ce cest koi
    """.split()
)


ONLY_ASK = frozenset(  # words of a question that tell nothing of what it is about
    """
    lequel laquelle lesquels lesquelles duquel auquel oui non mien mienne sien sienne
    pourrais pourrait pourrions pourriez pourraient pourra pourrez peuvent pouvons voudrais voudrait voudrions voudraient voulons
    voulez aimerais aimerait aimerions souhaite souhaitons souhaiterais devrais devrait devrions devons faudrait
    entend entendez signifie signifient designe designent correspond correspondent recouvre recouvrent
    sert servent serve chez jamais toujours deja vraiment vrai vraie vrais vraies veritable veritables beaucoup bien bon bonne
    presentez presenter presente intitule intitulent appelle appellent nomme
    forcement exactement concretement finalement simplement precisement reellement actuellement effectivement absolument
    necessairement obligatoirement normalement generalement globalement seulement uniquement
    """.split()
)


UNITS = {"euro": "€", "euros": "€", "pourcent": "%"}


@lru_cache(maxsize=8_192)  # a sentence is folded half a dozen times an answer, which was a quarter of its time
def fold(text: str) -> str:
    """Lower case without accents or ligatures; same as far as search is concerned."""
    text = text.lower().replace("œ", "oe").replace("æ", "ae").replace("ʼ", "'").replace("’", "'")
    apart = unicodedata.normalize("NFKD", text)
    if apart.isascii():
        return apart
    return "".join([c for c in apart if c < FIRST_MARK or not unicodedata.combining(c)])


_QUOTED = re.compile(r"«[^»]*»|\"[^\"]*\"|“[^”]*”")


def titles_whole(text: str) -> str:
    """A question without the colons of the titles that it quotes (« Commun(s) : discours de la méthode »): they part nothing."""
    return _QUOTED.sub(lambda found: found.group().replace(" : ", " "), text)


def last_part(question: str) -> str:
    """What stands after the last colon of a question, which is what it asks (« Le Fonds : qui l'a créé ? »); all of it where it
    has none."""
    return halves(question)[1]


def halves(question: str) -> tuple[str, str]:
    """What a question is about and what it asks of it (« Le Fonds », « qui l'a créé ? »); "" and all of it where no colon parts them."""
    topic, _, own = titles_whole(question).rpartition(" : ")
    return topic, own


def words(text: str) -> list[str]:
    """Folded words of a text, elisions and the stops of an acronym dropped, stop words kept."""
    found = _TOKEN.findall(_ORDINAL.sub(r"\1", _ELISION.sub(" ", _TOGETHER.sub("co ", fold(text)))))
    return [word.replace(".", "") if "." in word and word[0].isalpha() else word for word in found]


def telling_words(text: str) -> list[str]:
    """Folded words of a question that say what it is about: neither stop words nor words that only ask."""
    return [word for word in words(text) if word not in STOP_WORDS and word not in ONLY_ASK]


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("french")


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """What a folded word is indexed by; a unit by its sign, however it is written."""
    if word in UNITS:
        return UNITS[word]
    return word if len(word) < 4 or not word.isalpha() else str(_stemmer().stemWord(word))


def tokenize(text: str) -> list[str]:
    """Index and query tokens: stems of the words that are not stop words."""
    return _tokens(words(text))


def _tokens(found: Iterable[str]) -> list[str]:
    return [stem(word) for word in found if word not in STOP_WORDS]


def token_set(text: str) -> frozenset[str]:
    return frozenset(tokenize(text))


class LexicalIndex:
    """BM25 over chunks, with the vocabulary of whole folded words that repairs the query's typing errors."""

    def __init__(self, bm25: Any, vocabulary: dict[str, int], size: int) -> None:
        self.bm25 = bm25
        self.vocabulary = vocabulary  # folded word → number of chunks that hold it
        self.size = size
        frequency: Counter[str] = Counter()
        for word, count in vocabulary.items():
            frequency[stem(word)] += count
        n = max(size, 1)
        self._idf = {t: float(np.log(1 + (n - min(f, n) + 0.5) / (min(f, n) + 0.5))) for t, f in frequency.items()}
        self._idf_unknown = float(np.log(1 + (n + 0.5) / 0.5))

    def scores(self, tokens: Sequence[str]) -> np.ndarray:
        """BM25 score of every chunk, shape (n,)."""
        known = [t for t in tokens if t in self.bm25.vocab_dict]
        if not known or not self.size:
            return np.zeros(self.size, np.float32)
        return np.asarray(self.bm25.get_scores(known), dtype=np.float32)

    def knows(self, token: str) -> bool:
        return token in self.bm25.vocab_dict

    def telling(self, word: str, name: bool = False) -> float:
        """How much a folded word of a question tells: its rarity here; where the corpus lacks it, in French (« bon », « partout »
        tell less than « faillite »), unless it is a `name`."""
        token = stem(word)
        if name or token in self._idf or not word.isalpha():
            return self.idf(token)
        return self._idf_unknown * _rarity(word)

    def idf(self, token: str) -> float:
        """How rare a token is, from 0 (everywhere) to about log(n); unknown tokens are the rarest."""
        return self._idf.get(token, self._idf_unknown)

    @cached_property
    def _alphabetic(self) -> tuple[np.ndarray, np.ndarray]:
        """Words without digits or signs, in the vocabulary's order, and their lengths: one in ten questions needs them."""
        found = [word for word in self.vocabulary if word.isalpha()]
        return np.array(found, object), np.array([len(word) for word in found], np.int32)

    @cached_property
    def correct(self) -> Callable[[str], str]:
        """`_corrected`, which is asked of the same words at each step of a question: the last answers are kept."""
        return lru_cache(WORDS_KEPT)(self._corrected)

    def _corrected(self, word: str) -> str:
        """The nearest known word for a folded word that the corpus never uses, or the word itself. A French word becomes
        another of its family only (« financée » → « finance », never « argent » → « urgent »); a misprint of the corpus,
        which hardly uses it, becomes the word that it stands for."""
        if len(word) < 5 or not word.isalpha():
            return word
        if word in self.vocabulary or (stem(word) in self.bm25.vocab_dict and _is_french(word)):
            return self._meant(word)
        limit = 1 if len(word) < 8 else 2 if len(word) < 12 else 3
        found = self._near(word, limit)
        # Nearest first; of equals, one that begins alike, then the most frequent.
        ranked = sorted(found, key=lambda f: (f[1], f[0][0] != word[0], -self.vocabulary[f[0]]))
        return self._meant(ranked[0][0]) if ranked and (ranked[0][0][0] == word[0] or ranked[0][1] == 1) else word

    def _near(self, word: str, limit: int) -> list[tuple[str, int]]:
        """The vocabulary's words within `limit` errors, and how many; a plural's mark is none."""
        from rapidfuzz import process
        from rapidfuzz.distance import DamerauLevenshtein

        words, lengths = self._alphabetic
        candidates = words[np.abs(lengths - len(word)) <= limit + 1].tolist()
        if _is_french(word):
            candidates = [other for other in candidates if _of_one_family(word, other)]
        candidates = [other for other in candidates if other not in STOP_WORDS]
        found = process.extract(
            word, candidates, processor=_singular, scorer=DamerauLevenshtein.distance, score_cutoff=limit, limit=8
        )
        return [(other, int(errors)) for other, errors, _ in found]

    def _meant(self, word: str) -> str:
        """« teritoriaux », which stands once in an address, is « territoriaux »."""
        seen = self.vocabulary.get(word, 0)
        if len(word) < MISPRINTED or not 0 < seen <= MISPRINTS or _is_french(word):
            return word
        right = [w for w, errors in self._near(word, 1) if self.vocabulary[w] >= OFTEN * seen and _is_french(w)]
        return max(right, key=self.vocabulary.__getitem__, default=word)


def _singular(word: str) -> str:
    return word[:-1] if word[-1:] in ("s", "x") else word


@lru_cache(maxsize=10_000)
def _rarity(folded: str) -> float:
    """From 0, one of the most frequent words of French, to 1, a rare or unknown one."""
    frequent = max((frequency(form) for form in forms(folded)), default=0.0)
    if frequent <= 0:
        return 1.0
    return float(np.clip((-np.log(frequent) - FREQUENT) / (RARE - FREQUENT), 0.0, 1.0))


@lru_cache(maxsize=10_000)
def _is_french(folded: str) -> bool:
    return any(is_right(form) for form in forms(folded))


def _of_one_family(a: str, b: str) -> bool:
    from rapidfuzz.distance import Prefix

    return min(len(a), len(b)) >= LEAST_FAMILY and Prefix.normalized_similarity(a, b) >= FAMILY


def build_lexical(texts: Iterable[str], folder: Path) -> None:
    """Write the BM25 index of `texts` (with their contexts) and its vocabulary under `folder`. Memory holds a number a word."""
    import bm25s

    vocabulary: Counter[str] = Counter()
    numbers: dict[str, int] = {}
    documents = []
    for text in texts:
        found = words(text)
        vocabulary.update(set(found))
        tokens = _tokens(found) or ["∅"]
        documents.append(array("i", [numbers.setdefault(token, len(numbers)) for token in tokens]))
    bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    bm25.index((documents, numbers), show_progress=False)
    bm25.save(str(folder), show_progress=False)
    lines = [f"{word}\t{count}" for word, count in sorted(vocabulary.items())]
    (folder / "vocabulary.tsv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "size").write_text(str(len(documents)), encoding="utf-8")


def open_lexical(folder: Path) -> LexicalIndex:
    import bm25s

    bm25 = bm25s.BM25.load(str(folder), mmap=True)
    rows = (line.split("\t") for line in (folder / "vocabulary.tsv").read_text(encoding="utf-8").splitlines())
    vocabulary = {word: int(count) for word, count in rows}
    return LexicalIndex(bm25, vocabulary, int((folder / "size").read_text(encoding="utf-8")))
