"""Many writes in one request, each with its own outcome."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import orjson
from elasticsearch import AsyncElasticsearch

from service.stores.connection.faults import (
    FORBIDDEN,
    NOT_LET_IN,
    EngineRefused,
    EngineUnavailable,
    blocked,
    reason_of,
    translated_errors,
)

T = TypeVar("T")

_CONFLICT = 409
_OUTCOME = {"filter_path": "items.*.status,items.*.error.type,items.*.error.reason"}
_HEADERS = {"accept": "application/json", "content-type": "application/x-ndjson"}
_BUSY = (429, 500, 502, 503, 504)


@dataclass(slots=True, kw_only=True)
class Operation:
    """One document to write.

    With ``version`` it is only written over an older one, with ``seen`` (sequence number and term)
    only over the one that was read; ``create`` only where there is none.
    ``same_version`` lets the version that stands be rewritten, for what we add to it ourselves.
    """

    action: Literal["index", "create"]
    index: str
    id: str
    document: dict[str, Any]
    routing: str | None = None
    version: int | None = None
    same_version: bool = False
    seen: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """Whether it was written; if not, something else stands there."""

    ok: bool


_DONE, _NOT_DONE = Written(ok=True), Written(ok=False)


def bounded(
    items: Iterable[T], size_of: Callable[[T], int], *, count_max: int, size_max: int
) -> Iterator[list[T]]:
    """Put items into steps that are neither too many nor too long for an engine."""
    step: list[T] = []
    size = 0
    for item in items:
        length = size_of(item)
        if step and (len(step) >= count_max or size + length > size_max):
            yield step
            step, size = [], 0
        step.append(item)
        size += length
    if step:
        yield step


async def run_bulk(
    elasticsearch: AsyncElasticsearch, operations: Sequence[Operation]
) -> list[Written]:
    """Write all; a version conflict is an outcome, any other failure of one is a fault of all.

    The fault leaves some written: every push can be repeated, and then completes.
    """
    if not operations:
        return []
    lines: list[bytes] = []
    for each in operations:
        lines += orjson.dumps({each.action: _header(each)}), orjson.dumps(each.document)
    with translated_errors():
        response = await elasticsearch.perform_request(
            "POST", "/_bulk", params=_OUTCOME, headers=_HEADERS, body=lines
        )
    return [_outcome(item) for item in response.body["items"]]


def _header(operation: Operation) -> dict[str, Any]:
    header: dict[str, Any] = {"_index": operation.index, "_id": operation.id}
    if operation.routing is not None:
        header["routing"] = operation.routing
    if operation.version is not None:
        header["version"] = operation.version
        header["version_type"] = "external_gte" if operation.same_version else "external"
    if operation.seen is not None:
        header["if_seq_no"], header["if_primary_term"] = operation.seen
    return header


def _outcome(item: dict[str, Any]) -> Written:
    ((_, result),) = item.items()
    status = result["status"]
    if status < 300:
        return _DONE
    if status == _CONFLICT:
        return _NOT_DONE
    error = result.get("error", {})
    reason = reason_of(error)
    if error.get("type") == "cluster_block_exception":
        raise blocked(str(error.get("reason")))
    if status in FORBIDDEN:
        raise EngineUnavailable("elasticsearch", NOT_LET_IN)
    if status in _BUSY:
        raise EngineUnavailable("elasticsearch", reason)
    raise EngineRefused("elasticsearch", f"{status} {reason}")
