"""What can go wrong with an engine, in our words; never to be read as "no match"."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from elasticsearch import (
    ApiError,
    ConnectionTimeout,
    TransportError,
)
from redis.exceptions import RedisError

from service.domain.engine_fault import EngineFault

__all__ = [
    "EngineFault",
    "EngineRefused",
    "EngineTooSlow",
    "EngineUnavailable",
    "WritesPaused",
    "reason_of",
    "translated_errors",
]


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
    except RedisError as error:
        raise EngineUnavailable("redis", _unreachable(error)) from error
    except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
        raise EngineUnavailable("engine", _unreachable(error)) from error


def _of_api(error: ApiError) -> EngineFault:
    status = error.meta.status
    reason = reason_of(error.body) or str(error.message)
    if "cluster_block_exception" in str(error.message) or "cluster_block" in reason:
        return WritesPaused("elasticsearch", "the index is being rebuilt")
    if status == 429 and "Time exceeded" in reason:
        return EngineTooSlow("elasticsearch", "the search ran out of its time")
    if status == 404 and "index_not_found" in str(error.message):
        return EngineUnavailable("elasticsearch", "the indices are not installed")
    if status in (408, 429, 502, 503, 504) or status >= 500:
        return EngineUnavailable("elasticsearch", reason)
    return EngineRefused("elasticsearch", f"{status} {reason}")


def reason_of(body: object) -> str:
    """Give the reason that Elasticsearch states first, without the values of a query."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error", body)
    if not isinstance(error, dict):
        return str(error)[:200]
    causes = error.get("root_cause") or [error]
    cause = causes[0] if isinstance(causes[0], dict) else {}
    caused = error.get("caused_by") if isinstance(error.get("caused_by"), dict) else {}
    kind = cause.get("type") or error.get("type") or "error"
    text = cause.get("reason") or (caused or {}).get("reason") or ""
    return f"{kind}: {text}"[:300]


def _innermost(error: Exception) -> Exception:
    """Give what the client's own exceptions are wrapped around."""
    while isinstance(error, TransportError) and error.errors:
        error = error.errors[-1]
    return error


def _unreachable(error: Exception) -> str:
    """Say what kind of fault it was; the addresses in its text are nobody's business outside."""
    return f"cannot be reached ({type(error).__name__})"
