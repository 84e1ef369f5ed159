"""Rows of the audit trail: as Redis has them, and as documents of Elasticsearch."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from elasticsearch import AsyncElasticsearch

from service.access.chain import START, Head, Row, read_head, write_head
from service.stores.connection.bulk import Operation
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import read_one

ALL = "open,closed"
"""A month that was closed is a fault, not an empty month."""
PAYERS_MAX = 10_000
_PLACE = ("number", "link", "signature")
_NUMBER = re.compile(r"[1-9]\d{0,15}")


def row_of_fields(fields: Mapping[str, str]) -> Row | None:
    """Read a row as Redis has it; None for what is none, as somebody else may have written."""
    number = fields.get("n", "")
    if not _NUMBER.fullmatch(number):
        return None
    text = fields.get("r", "")
    try:
        content: Any = orjson.loads(text)
    except orjson.JSONDecodeError:
        content = None
    return Row(
        head=Head(int(number), fields.get("h", "")),
        signature=fields.get("m", ""),
        content=content if isinstance(content, dict) else {"unreadable": text},
    )


def row_of_document(source: Mapping[str, Any]) -> Row | None:
    """Read a row as Elasticsearch has it; None for what is none."""
    number, link, signature = (source.get(name) for name in _PLACE)
    if not isinstance(number, int) or number < 1:
        return None
    return Row(
        head=Head(number, str(link)),
        signature=str(signature),
        content={name: value for name, value in source.items() if name not in _PLACE},
    )


def head_of(fields: Mapping[str, str]) -> Head | None:
    """Read how far a trail goes, as Redis has it; None where it does not know."""
    number = fields.get("n", "")
    is_number = number == "0" or _NUMBER.fullmatch(number)
    return Head(int(number), fields.get("h", "")) if is_number else None


def write_document(index: str, payer: str, row: Row) -> Operation:
    """Write a row, unless it is there: a row never changes."""
    place = {"number": row.head.number, "link": row.head.link, "signature": row.signature}
    return Operation(
        action="create",
        index=index,
        id=f"{payer}|{row.head.number}",
        document={**row.content, **place},
    )


def write_anchor(indices: IndexNames, key: bytes, payer: str, head: Head) -> Operation:
    """Write how far a trail goes, signed, unless it is known to go further."""
    return Operation(
        action="index",
        index=indices.accounting,
        id=_anchor(payer),
        document={"audit_head": write_head(key, payer, head)},
        version=head.number,
        same_version=True,
    )


def _anchor(payer: str) -> str:
    return f"audit|{payer}"


async def read_anchor(
    elasticsearch: AsyncElasticsearch, indices: IndexNames, key: bytes, payer: str
) -> tuple[bool, Head | None]:
    """Tell whether Elasticsearch says how far a trail goes, and what; None for what is not signed.

    Raises EngineFault.
    """
    found = await read_one(elasticsearch, indices.accounting, _anchor(payer))
    if found is None:
        return False, None
    return True, read_head(key, payer, str(found["_source"].get("audit_head")))


async def with_rows(elasticsearch: AsyncElasticsearch, indices: IndexNames) -> set[str]:
    """The payers of whom Elasticsearch has rows; raises EngineFault."""
    with translated_errors():
        await elasticsearch.indices.refresh(index=indices.audits)
        response = await elasticsearch.search(
            index=indices.audits,
            aggs={"payers": {"terms": {"field": "payer", "size": PAYERS_MAX}}},
            size=0,
            allow_partial_search_results=False,
            expand_wildcards=ALL,
        )
    found = response.get("aggregations", {}).get("payers", {}).get("buckets", ())
    return {each["key"] for each in found}


async def last_head(elasticsearch: AsyncElasticsearch, indices: IndexNames, payer: str) -> Head:
    """How far the rows of a payer go that a search sees; raises EngineFault."""
    with translated_errors():
        response = await elasticsearch.search(
            index=indices.audits,
            query={"term": {"payer": payer}},
            sort=[{"number": {"order": "desc", "unmapped_type": "long", "missing": "_last"}}],
            size=1,
            allow_partial_search_results=False,
            expand_wildcards=ALL,
        )
    hits = response["hits"]["hits"]
    row = row_of_document(hits[0]["_source"]) if hits else None
    return row.head if row else START
