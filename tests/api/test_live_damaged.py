"""A server whose next generation is damaged: it keeps the one in use, says what to type, and takes the mended one itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import cast

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "rag"))

from small_encoder import SmallEncoder, small_build

import api.live
from api.live import Live
from corpus.errors import BoussoleError
from rag.embedding import Encoder
from rag.generation import MANIFEST, generation_folder, published
from rag.settings import STARTER_CORPUS, Settings

FICHE = STARTER_CORPUS / "quatre-c.md"
DAMAGES = ("[1]", "[" * 50_000, "", "null", '{"model": 3}', '{"schema": 2}')


@pytest.mark.parametrize("text", DAMAGES, ids=lambda text: text[:12])
def test_a_damaged_next_generation_is_told_and_the_one_in_use_answers(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.live, "RETRY", 0.0)
    index, source = tmp_path / "index", tmp_path / "sources"
    source.mkdir()
    (source / "a.md").write_text(FICHE.read_text(encoding="utf-8"), encoding="utf-8")
    small_build([source], index)
    live = Live(Settings(index=index), cast(Encoder, SmallEncoder()))
    live.refresh()
    first = live.current.generation.name
    (source / "b.md").write_text("# Brest\n\nLa commune de Brest compte 12 alliances.\n", encoding="utf-8")
    small_build([source], index)
    manifest = generation_folder(index, published(index)) / MANIFEST
    manifest.write_text(text, encoding="utf-8")
    live.refresh()
    assert live.current.generation.name == first
    assert live.current.ask("Que sont les quatre C ?").index_generation == first
    assert live.error is not None
    assert "boussole index --rebuild" in str(live.error)
    fresh = Live(Settings(index=index), cast(Encoder, SmallEncoder()))
    fresh.refresh()
    with pytest.raises(BoussoleError, match="boussole index"):
        _ = fresh.current
    small_build([source], index)
    for server in (live, fresh):
        server.refresh()
        assert server.error is None
        assert server.current.generation.name == published(index) != first
        server.close()
