"""Stages of an answer as spans of LlamaIndex's instrumentation: whoever listens to it, our OpenTelemetry too, sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from llama_index_instrumentation import get_dispatcher

F = TypeVar("F", bound=Callable[..., Any])


def span(stage: F) -> F:
    """The same function, timed where somebody listens (some 30 µs where nobody does)."""
    return cast(F, get_dispatcher(__name__).span(stage))
