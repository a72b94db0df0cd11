"""A real Redis that hangs, goes and comes back: counts go on alone meanwhile, and together again by themselves."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

import limits
import pytest
from pydantic import SecretStr
from servers import start_redis

import api.rates
from api.rates import open_rates
from rag.settings import Settings

pytestmark = pytest.mark.slow


def test_hung_gone_and_back_requests_are_counted_all_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.rates, "ALONE", 0.3)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    running = start_redis(port, tmp_path)
    try:
        shared = Settings(redis_url=SecretStr(f"redis://127.0.0.1:{port}"), data=tmp_path)
        one, two = open_rates(shared), open_rates(shared)
        rate = limits.parse("3/minute")
        assert one.wait(rate, "a") is None
        running.send_signal(signal.SIGSTOP)
        started = time.monotonic()
        assert one.wait(rate, "a") is None
        assert one.wait(rate, "a") is None
        assert time.monotonic() - started < 20, "a hung Redis holds requests"
        running.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        assert one.wait(rate, "b") is None
        assert two.wait(rate, "b") is None
        assert one.wait(rate, "b") is None
        assert (two.wait(rate, "b") or 0) > 0, "not counted together again"
        running.kill()
        running.wait(10)
        assert one.wait(rate, "b") is None
        running = start_redis(port, tmp_path)
        time.sleep(0.5)
        assert one.wait(rate, "c") is None
        assert two.wait(rate, "c") is None
        assert two.wait(rate, "c") is None
        assert (one.wait(rate, "c") or 0) > 0, "not counted together after its restart"
    finally:
        running.send_signal(signal.SIGCONT)
        running.kill()
        running.wait(10)
