"""The errors of the whole house; each says in French what is wrong and what to do.

BoussoleError
├── UsageError             wrong command, request or setting (exit status 2, HTTP 4xx)
├── ConfigurationError     a setting or an installation that can't work (exit status 2)
├── ReadError              one file of the corpus can't be read; the others go on
├── IndexMissing           nothing has been published in this index directory yet
├── IndexMismatch          the index was built with another model, settings or schema
├── IndexDamaged           a file of the published generation is missing or altered
├── IndexBusy              another process is writing this index
├── IndexUnwritable        the index directory is full or read-only; what was published still answers
└── LLMError               the language model is away, slow or unusable (the extractive answer stands in)

Raised where known, shown once at the edge: `str(error)` is the sentence for people, `error.code` is for programs.
"""

from __future__ import annotations


class BoussoleError(Exception):
    """Base of every error that is meant to be shown."""

    code = "error"
    retryable = False

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class UsageError(BoussoleError):
    """What was asked can't be done as asked."""

    code = "usage"


class ConfigurationError(BoussoleError):
    """A setting or an installation can't work; the message says which and what to type."""

    code = "configuration"


class ReadError(BoussoleError):
    """One file can't be read. `code` is one of: encrypted, corrupt, truncated, no_text, too_large, too_many_pages,
    timeout, memory, wrong_type, unsupported, vanished, interrupted."""

    code = "corrupt"


class IndexMissing(BoussoleError):
    """No generation is published yet."""

    code = "index_missing"


class IndexMismatch(BoussoleError):
    """The index was built with another embedding model or schema; only a rebuild helps."""

    code = "index_mismatch"


class IndexDamaged(BoussoleError):
    """A file of the published generation is missing or doesn't hold what was written."""

    code = "index_damaged"


class IndexBusy(BoussoleError):
    """Another process is writing the index; waiting helps."""

    code, retryable = "index_busy", True


class IndexUnwritable(BoussoleError):
    """The index can't be written: disk_full or read_only. What was published is untouched."""

    code, retryable = "disk_full", True


class LLMError(BoussoleError):
    """The language model did not give a usable text in time."""

    code, retryable = "llm_unavailable", True
