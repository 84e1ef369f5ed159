"""Shows ledger entries: who moved what, when and why, with the balances before and after."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from typing_extensions import TypedDict

from service.access.act import note
from service.accounting.answers.used import account_name, balance
from service.accounting.books.grant import Row
from service.accounting.books.scale import written, written_amount
from service.stores.ledger.entry import LedgerEntry, claims_in
from service.stores.ledger.reading import LedgerPage
from service.stores.ledger.records import read_record

Answer = dict[str, Any]
_TEXTS = {
    "kind": "k",
    "correction_id": "ci",
    "claim_id": "c",
    "original_claim_id": "oc",
    "status": "s",
    "at": "at",
    "by": "by",
    "on_behalf_of": "obo",
    "why": "why",
}


class LedgerEntries(TypedDict):
    """Some entries, newest first, how many there are in all, and where to go on."""

    entries: list[Answer]
    total: int
    next: str | None


def ledger_entries(page: LedgerPage, authorization_id: str | None = None) -> LedgerEntries:
    """Show a page; of the movements those of one authorization, where it is named.

    It is noted which claims it tells of, and whose they are.
    """
    for each in page.entries:
        members = (each.fields.get(name) for name in ("m", "om"))
        note(claims=claims_in(each), persons=filter(None, members))
    entries = [_entry(each, authorization_id) for each in page.entries]
    return {"entries": entries, "total": page.total, "next": page.next_}


def _entry(entry: LedgerEntry, authorization_id: str | None) -> Answer:
    fields = entry.fields
    _, moved = read_record(entry)
    movements = [
        *_movements("given back", moved.undone, authorization_id),
        *_movements("given back by the original", moved.given_back, authorization_id),
        *_movements("given back by a charge", moved.unattached, authorization_id),
        *_movements("corrected" if "cr" in fields else "drawn", moved.drawn, authorization_id),
    ]
    return {
        "entry": entry.id,
        **{name: fields[key] or None for name, key in _TEXTS.items() if key in fields},
        "version": int(fields["v"]),
        "movements": movements,
        "amendments": _amendments(fields, authorization_id),
    }


def _movements(what: str, rows: Iterable[Row], authorization_id: str | None) -> list[Answer]:
    return [
        {
            "what": what,
            "line": row.line,
            "authorization_id": row.authorization_id,
            "authorization_line": row.authorization_line,
            "type": row.kind,
            "units": written(row.units),
            "amount": written_amount(row.amount),
            "accounts": [
                {
                    **account_name(each.account),
                    "units": _moved(each.units, each.before["units"], each.after["units"]),
                    "service_days": written(each.days),
                }
                for each in row.movements
            ],
        }
        for row in rows
        if authorization_id in (None, row.authorization_id)
    ]


def _moved(units: int, before: Any, after: Any) -> Answer:
    return {"moved": written(units), "before": _used(before), "after": _used(after)}


def _used(one: Any) -> Mapping[str, str | None]:
    held = balance(one, written)
    return {"used": held["used"], "reserved": held["reserved"]}


def _amendments(fields: Mapping[str, str], authorization_id: str | None) -> list[Answer]:
    """Show what the limits became: with a push, or with the first use of a version."""
    found: list[Answer] = [
        {"authorization_id": each["a"], "version": each["v"]}
        for each in orjson.loads(fields.get("am") or "[]")
    ]
    if "set" in fields:
        limits = {"set": dict(orjson.loads(fields["set"])), "removed": orjson.loads(fields["del"])}
        found.insert(0, {"authorization_id": fields["a"], "version": fields["v"], **limits})
    return [each for each in found if authorization_id in (None, each["authorization_id"])]
