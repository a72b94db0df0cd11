"""Files are read side by side and kept in order; where the build stops, what is being read is given up at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from small_encoder import SmallEncoder

from corpus import sandbox
from corpus.errors import ConfigurationError, ReadError
from rag.ahead import Soon, ahead
from rag.embedding import Encoder
from rag.index import build


def test_results_come_in_the_order_of_the_items_while_later_ones_are_under_way() -> None:
    both = threading.Barrier(2, timeout=20)

    def work(n: int) -> int:
        both.wait()  # passes only where two are under way at once
        return n * n

    assert [future.result() for future in ahead(work, range(6), at_once=2)] == [0, 1, 4, 9, 16, 25]


def test_no_more_than_asked_for_are_handled_ahead() -> None:
    started = list[int]()
    with closing(ahead(lambda n: started.append(n), range(100), at_once=2)) as results:
        next(results).result()
        time.sleep(0.2)
        assert max(started) <= 2


def test_an_error_is_that_of_its_item_and_the_others_go_on() -> None:
    def work(n: int) -> int:
        if n == 1:
            raise ReadError("non", code="corrupt")
        return n

    results = list(ahead(work, range(4), at_once=2))
    assert [future.exception() is None for future in results] == [True, False, True, True]


def test_a_caller_that_stops_leaves_the_later_items_undone() -> None:
    done = list[int]()
    results = ahead(lambda n: done.append(n), range(100), at_once=2)
    next(results).result()
    results.close()
    assert len(done) <= 3


def test_what_is_being_read_is_given_up_only_where_the_caller_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = list[str]()
    monkeypatch.setattr(sandbox, "give_up", lambda: given_up.append("now"))
    assert [f.result() for f in ahead(lambda n: n, range(4), at_once=2)] == [0, 1, 2, 3]
    assert given_up == []
    results = ahead(lambda n: n, range(100), at_once=2)
    next(results).result()
    results.close()
    assert given_up == ["now"]


def test_what_is_computed_soon_raises_where_it_is_asked_for() -> None:
    def fails() -> int:
        raise ConfigurationError("pas de modèle")

    with pytest.raises(ConfigurationError, match="pas de modèle"):
        Soon(fails).get()
    assert Soon(lambda: 17).get() == 17


def test_a_build_without_a_model_says_so_and_publishes_nothing(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("# Note\n\nL'alliance rassemble des acteurs d'un même territoire.\n")

    def none() -> Encoder:
        raise ConfigurationError("pas de modèle")

    with pytest.raises(ConfigurationError, match="pas de modèle"):
        build([tmp_path / "note.md"], tmp_path / "index", none, SmallEncoder.name)
    assert not (tmp_path / "index" / "CURRENT").exists()


WRITTEN_MEANWHILE = """
import sys, tempfile
from pathlib import Path
import chromadb, httpx, numpy as np
from rag.ahead import Soon, import_heavy
from rag.vectors import write_chroma
soon = Soon(import_heavy)
while "llama_index.core.indices" not in sys.modules:
    pass
with tempfile.TemporaryDirectory() as folder:
    write_chroma(Path(folder), "name", [], np.zeros((0, 4), np.float32))
soon.get()
"""


@pytest.mark.slow
def test_chroma_is_written_while_its_libraries_are_still_being_imported() -> None:
    """LlamaIndex imports itself in circles: a thread that enters them elsewhere than another one fails."""
    done = subprocess.run([sys.executable, "-c", WRITTEN_MEANWHILE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
