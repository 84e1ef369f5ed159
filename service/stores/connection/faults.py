"""What can go wrong with an engine, in our words; never to be read as "no match"."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any

from elasticsearch import (
    ApiError,
    ConnectionTimeout,
    TransportError,
    UnsupportedProductError,
)
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    OutOfMemoryError,
    RedisClusterException,
    RedisError,
)

from service.domain.engine_fault import EngineFault
from service.stores.connection.tls import why_refused

__all__ = [
    "EngineFault",
    "EngineRefused",
    "EngineTooSlow",
    "EngineUnavailable",
    "WritesPaused",
    "blocked",
    "reason_of",
    "translated_errors",
]


FORBIDDEN = (401, 403)
NOT_LET_IN = "it does not let us in: see its user, password or key, and what they may do"
"""A fault of the installation, like an outage: what is pushed meanwhile waits."""

_TYPE = re.compile(r"[a-z_]{1,80}")
_MISFIT = re.compile(
    r"(?:\[\d+:\d+\] )?failed to parse field \[([\w.]{1,100})\] of type \[(\w{1,40})\] in document "
)


class EngineUnavailable(EngineFault):
    """The engine cannot be reached, or says that it cannot answer now."""


class EngineTooSlow(EngineFault):
    """The engine did not answer in time; what it had so far is not used."""


class WritesPaused(EngineFault):
    """The index is being rebuilt and takes no pushes for now; reads go on."""

    retry_after_s = 10


class EngineRefused(EngineFault):
    """The engine refused a request as wrong: a fault of ours, or of a template."""

    is_lasting = True

    def __init__(self, engine: str, reason: str, words: str = "") -> None:
        """Keep the engine's own ``words`` apart: they may quote values, and are never logged."""
        super().__init__(engine, reason)
        self.words = words


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the exceptions of both clients into ours, the most telling first."""
    try:
        yield
    except ConnectionTimeout as error:
        raise EngineTooSlow("elasticsearch", "no answer in time") from error
    except ApiError as error:
        raise _of_api(error) from error
    except TransportError as error:
        raise EngineUnavailable("elasticsearch", _unreachable(_innermost(error))) from error
    except (AuthenticationError, NoPermissionError) as error:
        raise EngineUnavailable("redis", NOT_LET_IN) from error
    except OutOfMemoryError as error:
        raise EngineUnavailable("redis", "it is full: give it memory") from error
    except (RedisError, RedisClusterException) as error:
        raise EngineUnavailable("redis", _unreachable(error)) from error
    except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        raise EngineUnavailable("engine", _unreachable(error)) from error
    except (RuntimeError, AttributeError) as error:
        # A client of a Redis Cluster closes connections that others of its callers are using: they
        # stumble within it, each in another way.
        if not _is_within_redis(error):
            raise
        raise EngineUnavailable("engine", "cannot be reached (closed)") from error


def _is_within_redis(error: Exception) -> bool:
    """Whether it was raised below the client of Redis, and is no mistake of ours."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return any(str(each.f_globals.get("__name__")).startswith("redis.") for each in frames)


def _of_api(error: ApiError) -> EngineFault:
    if isinstance(error, UnsupportedProductError):
        return EngineUnavailable("elasticsearch", "what answers in its place is no Elasticsearch")
    status = error.meta.status
    reason, words = reason_of(error.body), words_of(error.body)
    if "cluster_block" in f"{error.message} {words}":
        return blocked(words)
    if status == 429 and "Time exceeded" in words:
        return EngineTooSlow("elasticsearch", "the search ran out of its time")
    if status == 404 and "index_not_found" in str(error.message):
        return EngineUnavailable("elasticsearch", "the indices are not installed")
    if status in FORBIDDEN:
        return EngineUnavailable("elasticsearch", NOT_LET_IN)
    if status in (408, 429, 502, 503, 504) or status >= 500:
        return EngineUnavailable("elasticsearch", reason)
    return EngineRefused("elasticsearch", f"{status} {reason}", words)


def blocked(words: str) -> EngineFault:
    """Tell a rebuild, which closes the index to writes, from a block that somebody must lift."""
    if "index write (api)" in words:
        return WritesPaused("elasticsearch", "the index is being rebuilt")
    return EngineUnavailable("elasticsearch", f"the index is blocked ({_block_of(words)})")


def _block_of(words: str) -> str:
    """Name a block; a full disk is the usual one."""
    if "read-only-allow-delete" in words or "flood" in words:
        return "its disk is full"
    return "cluster_block_exception"


def reason_of(body: object) -> str:
    """Give the type of what Elasticsearch states first, and a field that a document does not fit.

    All else of its text may quote what was stored or asked for.
    """
    cause = _first_cause(body)
    field = _MISFIT.match(str(cause.get("reason")))
    kind = _TYPE.fullmatch(str(cause.get("type")))
    told = kind[0] if kind else "error"
    return f"{told} (field {field[1]}, {field[2]})" if field else told


def words_of(body: object) -> str:
    """What Elasticsearch says first, with values: for decisions, and for authors of rules."""
    cause = _first_cause(body)
    return f"{cause.get('type')}: {cause.get('reason')}"[:300]


def _first_cause(body: object) -> Mapping[str, Any]:
    error = body.get("error", body) if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return {}
    causes = error.get("root_cause") or [error]
    cause = causes[0] if isinstance(causes[0], dict) else {}
    caused = error.get("caused_by")
    if cause.get("reason") is None and isinstance(caused, dict):
        return {"type": cause.get("type") or error.get("type"), "reason": caused.get("reason")}
    return cause


def _innermost(error: Exception) -> Exception:
    """Give what the client's own exceptions are wrapped around."""
    while isinstance(error, TransportError) and error.errors:
        error = error.errors[-1]
    return error


def _unreachable(error: Exception) -> str:
    """Say what kind of fault it was; the addresses in its text are nobody's business outside."""
    return why_refused(error) or f"cannot be reached ({type(error).__name__})"
