"""How what the accumulators are asked is written for the scripts, and their answers read."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from service.accounting.books.books import (
    Amendment,
    Correction,
    DrawRequest,
    Moved,
    Occasion,
    RecountedBook,
    RecountRequest,
)
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.grant import AccountMovement, Balance, Measure, Row
from service.accounting.books.plan import Bounds, Debit, Draw, Drawable, Part, base_of
from service.accounting.books.rows import COUNTED, is_counter_book, write_row

Json = dict[str, Any]
_MEASURES: tuple[tuple[Measure, int], ...] = (("units", 0), ("amount", 2), ("days", 4))
BoundsOf = Mapping[str, Mapping[str, Bounds]]
"""Authorization id to base to its limits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """How soon (in milliseconds) waiting claims are looked at for units that came back.

    Of more than ``most`` authorizations only that it was many is noted.
    """

    soon: int
    most: int


def write_draw(request: DrawRequest, new: Collection[str] = (), late: Late | None = None) -> bytes:
    """Write the request of a draw for the script; ``new`` are authorizations never drawn on.

    ``late`` is None where nothing is noted for claims that wait.
    """
    ids, moved_on = request.authorizations, frozenset(request.moved_on)
    place = {each: number for number, each in enumerate(ids, start=1)}
    original = request.original
    return orjson.dumps(
        {
            "dry": request.dry,
            "all": request.all_or_nothing,
            "n": request.claim.sequence,
            "on": original.sequence if original else 0,
            "os": request.original_status,
            "oc": original.claim_id if original else "",
            "om": original.owner if original else "",
            "c": request.claim.claim_id,
            "v": request.version,
            "fp": request.fingerprint,
            "s": request.state,
            "m": request.owner,
            "mt": "|".join(request.matched),
            "ow": request.others_wait,
            "lk": [
                {"x": place[name], "n": list(accounts)}
                for name, accounts in request.looked_at.items()
            ],
            "lkn": request.must_find,
            **_occasion(request.occasion),
            **_waiting(request),
            **_late(late),
            "a": [_authorization(each, request, new, is_moved=each in moved_on) for each in ids],
            "ct": list(map(write_row, request.counted)),
            "ch": [{"c": each.claim_id, "n": each.sequence} for each in request.charges],
            "l": [
                {
                    "l": line.line,
                    "whole": line.whole_only,
                    "ws": dict.fromkeys(line.waits_when, True),
                    "y": [_part(part, place) for part in line.parts],
                }
                for line in request.plan.lines
            ],
        }
    )


def _waiting(request: DrawRequest) -> Json:
    waiting = request.waiting
    if not waiting.is_possible:
        return {}
    names = ("events", "exhausted", "exceeded")
    return {"wt": {name: getattr(waiting, name) for name in names}, "mk": request.last_push}


def write_change(
    claim: ClaimState,
    rows: Sequence[Json],
    status: str,
    occasion: Occasion,
    late: Late | None = None,
) -> bytes:
    """Write the request to change what a claim holds; ``late`` as for a draw."""
    return orjson.dumps(
        {
            "n": claim.sequence,
            "c": claim.claim_id,
            "s": status,
            "m": claim.owner,
            "r": orjson.dumps(rows).decode(),
            "a": claim.authorizations,
            **_occasion(occasion),
            **_late(late),
        }
    )


def write_amendment(amendment: Amendment, occasion: Occasion) -> bytes:
    """Write the request to take the limits of a pushed version."""
    return orjson.dumps(
        {
            "id": amendment.authorization_id,
            "v": amendment.version,
            "st": "void" if amendment.is_void else "open",
            "day": occasion.at[:10],
            "sh": amendment.counted.shape,
            "ln": amendment.counted.lines,
            "b": [
                [base, *map(_text, (bounds.units, bounds.amount, bounds.days)), bounds.unit or ""]
                for base, bounds in sorted(amendment.bounds.items())
            ],
            **_occasion(occasion),
        }
    )


def write_recount(request: RecountRequest, new: Collection[str] = ()) -> bytes:
    """Write the request of a recount; ``new`` are authorizations never drawn on."""
    return orjson.dumps(
        {
            "a": [_recounted(each, new) for each in request.books],
            "o": request.beside,
            "cs": [
                {
                    "c": claim.claim_id,
                    "n": claim.sequence,
                    "m": claim.owner,
                    "r": orjson.dumps(list(map(write_row, rows))).decode(),
                }
                for claim, rows in request.claims
            ],
            **_occasion(request.occasion),
        }
    )


def _recounted(book: RecountedBook, new: Collection[str]) -> Json:
    said: Json = {
        "id": book.authorization_id,
        "n": book.sequence,
        "new": book.authorization_id in new,
        "gh": book.gone,
        "ut": book.untold,
        "cr": [[name, *map(str, each)] for name, each in sorted(book.corrections.items())],
    }
    amendment = book.amendment
    if amendment is None:
        return said | {"st": "moved", "ln": book.lines}
    return said | {
        "v": amendment.version,
        "sh": amendment.counted.shape,
        "ln": amendment.counted.lines,
        "b": {base: _bounds(each) for base, each in amendment.bounds.items()},
    }


def _late(late: Late | None) -> Json:
    return {} if late is None else {"late": {"soon": late.soon, "most": late.most}}


def write_correction(
    correction: Correction, occasion: Occasion, new: Collection[str], late: Late | None
) -> bytes:
    """Write the request to correct what is used of an account; ``new`` as for a draw."""
    deltas = [str(each) for each in (correction.units, correction.amount, correction.days)]
    said = orjson.dumps([correction.account, *deltas])
    return orjson.dumps(
        {
            "ci": correction.correction_id,
            "cf": _hash(correction.correction_id.encode()),
            "ch": _hash(said),
            "ac": correction.account,
            "m": correction.owner,
            "a": _drawable(correction.drawable, new),
            "by_measure": dict(zip("umd", deltas, strict=True)),
            "r": {
                "l": 0,
                "p": 0,
                "k": correction.kind,
                "a": correction.drawable.authorization_id,
                "al": correction.line,
                "o": "correction",
                "u": deltas[0],
                "m": deltas[1],
            },
            **_occasion(occasion),
            **_late(late),
        }
    )


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _occasion(occasion: Occasion) -> Json:
    return {
        "k": occasion.kind,
        "at": occasion.at,
        "by": occasion.by,
        "obo": occasion.on_behalf_of,
        "why": occasion.why,
    }


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _authorization(
    authorization_id: str, request: DrawRequest, new: Collection[str], *, is_moved: bool
) -> Json:
    if is_counter_book(authorization_id):
        seen = request.seen.get(authorization_id)
        written = {"id": authorization_id, "new": authorization_id in new}
        return written | ({} if seen is None else {"seen": seen.sequence})
    drawable = request.plan.authorizations.get(authorization_id)
    if drawable is None:
        written = {"id": authorization_id}
        return written if is_moved else {**written, "look": True, "new": authorization_id in new}
    return _drawable(drawable, new)


def _drawable(drawable: Drawable, new: Collection[str]) -> Json:
    return {
        "id": drawable.authorization_id,
        "new": drawable.authorization_id in new,
        "v": drawable.version,
        "sh": drawable.shape,
        "ln": drawable.lines,
        "b": {base: _bounds(each) for base, each in drawable.bounds.items()},
    }


def _bounds(bounds: Bounds) -> Json:
    given = {"u": bounds.units, "m": bounds.amount, "d": bounds.days, "k": bounds.unit}
    return {name: value for name, value in given.items() if value is not None}


def _part(part: Part, place: Mapping[str, int]) -> Json:
    return {
        "p": part.number,
        "w": part.want,
        "s": part.step,
        "c": part.charge,
        "cs": part.cent,
        "y": [
            {"k": way.kind, "d": [_draw(draw, place) for draw in way.draws]} for way in part.ways
        ],
    }


def _draw(draw: Draw, place: Mapping[str, int]) -> Json:
    written: Json = {
        "x": place[draw.authorization_id],
        "l": draw.line,
        "o": draw.origin,
        "d": [_debit(each) for each in draw.debits],
    }
    if draw.price is not None:
        written["pn"], written["pd"] = draw.price
    return written


def _debit(debit: Debit) -> Json:
    written: Json = {"n": debit.account}
    if (debit.numerator, debit.denominator) != (1, 1):
        written |= {"num": debit.numerator, "den": debit.denominator}
    if debit.unit_tokens:
        written["ut"] = debit.unit_tokens
    if debit.day_tokens:
        written["dt"] = debit.day_tokens
    for name, count in (("uo", debit.unit_tokens_in_all), ("do", debit.day_tokens_in_all)):
        if count is not None:
            written[name] = count
    if not debit.counts_amount:
        written["free"] = True
    return written


def read_moved(answer: Json, bounds: BoundsOf) -> Moved:
    """Read what a script moved."""
    return Moved(
        drawn=read_rows(answer["r"], bounds),
        undone=read_rows(answer["u"], bounds),
        given_back=read_rows(answer.get("o", "[]"), bounds),
        unattached=read_rows(answer.get("cg", "[]"), bounds),
        tried=read_rows(answer.get("t", "[]"), bounds),
        short=tuple(map(int, orjson.loads(answer.get("w", "[]")))),
        lean=frozenset(map(_lean, orjson.loads(answer.get("k", "[]")))),
        entry=answer.get("e"),
        status=answer.get("st", ""),
        looked_at={
            (each["a"], each["n"]): tuple(map(int, each["f"]))
            for each in orjson.loads(answer.get("bl", "[]"))
        },
    )


def _lean(name: str) -> tuple[int, str]:
    line, _, kind = name.partition("|")
    return int(line), kind


def read_rows(written: str, bounds: BoundsOf) -> tuple[Row, ...]:
    """Read rows with what they moved, as scripts and ledger entries have them.

    Those that only count a line for the tables draw on nothing, and are not told.
    """
    return tuple(
        _row(each["row"], each["moved"], bounds)
        for each in orjson.loads(written)
        if each["row"]["k"] != COUNTED
    )


def _row(row: Json, moved: Sequence[Json], bounds: BoundsOf) -> Row:
    of_authorization = bounds.get(row["a"], {})
    return Row(
        line=int(row["l"]),
        part=int(row["p"]),
        kind=row["k"],
        authorization_id=row["a"],
        authorization_line=int(row["al"]),
        origin=row["o"],
        units=int(row["u"]),
        amount=int(row["m"]),
        priced=int(row.get("pr", 0)),
        movements=tuple(
            _movement(each, of_authorization.get(base_of(each["n"]), Bounds())) for each in moved
        ),
    )


def _movement(moved: Json, bounds: Bounds) -> AccountMovement:
    before, after = (list(map(int, moved[name])) for name in ("b", "f"))
    change = [after[at] + after[at + 1] - before[at] - before[at + 1] for at in (0, 2, 4)]
    return AccountMovement(
        account=moved["n"],
        unit=bounds.unit,
        units=change[0],
        amount=change[1],
        days=change[2],
        before=_balances(before, bounds),
        after=_balances(after, bounds),
    )


def _balances(numbers: Sequence[int], bounds: Bounds) -> dict[Measure, Balance]:
    limits = {"units": bounds.units, "amount": bounds.amount, "days": bounds.days}
    return {
        measure: Balance(limit=limits[measure], used=numbers[at], reserved=numbers[at + 1])
        for measure, at in _MEASURES
    }
