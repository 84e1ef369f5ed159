"""A ledger entry: as the stream of its payer has it, and as a document of Elasticsearch."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from service.accounting.books.record import Draft, selections_in
from service.accounting.replay.ledger import entry_order
from service.matching.outcomes import outcomes_of, set_number
from service.stores.connection.bulk import Operation
from service.stores.connection.key_names import BookKeys, shelf_of
from service.stores.connection.names import IndexNames, ledger_id
from service.stores.connection.projection import month_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One movement; ``fields`` are those that the script wrote, all of them texts."""

    id: str
    payer: str
    fields: Mapping[str, str]


def index_of(indices: IndexNames, entry_id: str) -> str:
    """Name the index of the month in which an entry was written."""
    return indices.ledger(month_of(entry_id))


def write_entry(indices: IndexNames, book: BookKeys, entry: LedgerEntry, draft: Draft) -> Operation:
    """Write an entry with its record, unless it is there: the same id is the same movement."""
    return Operation(
        action="create",
        index=index_of(indices, entry.id),
        id=ledger_id(entry.payer, entry.id),
        document=_document(book, entry, draft),
    )


def _document(book: BookKeys, entry: LedgerEntry, draft: Draft) -> dict[str, Any]:
    fields = entry.fields
    milliseconds, number = entry_order(entry.id)
    moved = list(dict.fromkeys(_moved(fields)))
    found = {
        "claim_id": fields.get("c") or recounted_claims(fields),
        "original_claim_id": [*filter(None, [fields.get("oc")]), *charges_in(fields)],
        "claim_version": fields.get("v") if "c" in fields else None,
        "kind": fields.get("k"),
        "status": fields.get("s"),
        "at": fields.get("at"),
        "by": fields.get("by"),
        "on_behalf_of": fields.get("obo"),
        "why": fields.get("why"),
        "authorization_ids": moved,
        "matched_ids": list(filter(None, fields.get("mt", "").split("|"))),
    }
    found |= _adjudicated(draft)
    return {
        "payer": entry.payer,
        "shelves": sorted(_shelves(book, fields, moved)),
        "ms": milliseconds,
        "seq": number,
        **{name: value for name, value in found.items() if value},
        "fields": dict(fields),
    }


def _adjudicated(draft: Draft) -> dict[str, Any]:
    """What adjudications are found by when rules are tried on them, and counted by."""
    if not draft:
        return {}
    lines = draft["lines"]
    results = [(line["line"], result) for line in lines for result in line["results"]]
    selected = {
        (each["line"], each.get("type", "authorization")): each["authorizations"][0][
            "authorization_id"
        ]
        for each in selections_in(draft)
    }
    return {
        "claim_type": draft["claim"]["claim_type"],
        "classes": sorted({result["class"] for _, result in results}),
        "events": sorted({event["code"] for line in lines for event in line["events"]}),
        "rules_set": set_number(draft.get("rules", {}).get("set")),
        "outcomes": outcomes_of(results, selected),
    }


def _shelves(book: BookKeys, fields: Mapping[str, str], moved: Iterable[str]) -> set[int]:
    """The shelves of all that an entry is about: one is made anew from its entries."""
    named = [fields.get("c"), fields.get("oc"), *recounted_claims(fields), *charges_in(fields)]
    surrogates = [book.surrogate(name) for name in (*filter(None, named), *moved)]
    members = [fields.get(name) for name in ("m", "om")]
    return {shelf_of(surrogate) for surrogate in (*surrogates, *filter(None, members))}


def claims_in(entry: LedgerEntry) -> list[str]:
    """Name the claims of which an entry changed what they hold."""
    named = [entry.fields.get(name) for name in ("c", "oc")]
    return [*filter(None, named), *recounted_claims(entry.fields)]


def recounted_claims(fields: Mapping[str, str]) -> list[str]:
    """Name the claims of which a recount changed what they hold."""
    return [str(each[0]) for each in _read(fields.get("cs"))]


def charges_in(fields: Mapping[str, str]) -> list[str]:
    """Name the charges of which the claim of an entry took the place."""
    return [str(each[0]) for each in _read(fields.get("cb"))]


def _moved(fields: Mapping[str, str]) -> Iterator[str]:
    """Give the authorizations whose accounts an entry changed, or gave back and drew the same."""
    for name, _ in _read(fields.get("q")):
        yield str(name)
    for rows in ("r", "u", "o", "cg"):
        for each in _read(fields.get(rows)):
            yield str(each["row"]["a"])


def _read(text: str | None) -> Any:
    return orjson.loads(text) if text else []


def read_entry(document: dict[str, Any]) -> LedgerEntry:
    """Read an entry back from its document."""
    return LedgerEntry(
        id=f"{document['ms']}-{document['seq']}",
        payer=document["payer"],
        fields=document["fields"],
    )
