"""One ledger entry at work: balances are changed on copies, and written when it is done.

This is the arithmetic of the scripts (``stores/connection/lua/books.lua``) a second time, so that
each is checked by the other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from json import JSONDecoder
from typing import Any

import orjson

from service.accounting.books.plan import base_of
from service.accounting.books.scale import SCALE
from service.accounting.replay._holdings import FIELDS as HELD

Json = dict[str, Any]
Hash = dict[str, str]
Mine = Callable[[str], bool]
"""Tells by its id whether something is replayed, where only a part of a book is."""
Balance = list[int]
"""Used, reserved and corrected of each measure, in the order of FIELDS."""

FIELDS = (*HELD, "uc", "mc", "dc")

LIMITS = ("ul", "ml", "dl", "k")
SHAPE = ("sh", "ln", "gh", "ut")
MEASURE_AT = {"u": 0, "m": 2, "d": 4}
CORRECTED_AT = {"u": 6, "m": 7, "d": 8}

_decode = JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where something is otherwise than the ledger makes it; ``entry`` is where that was seen."""

    what: str
    field: str
    expected: str
    found: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A row that was posted, with what it moved; ``row_text`` is the row as it was written."""

    row_text: str
    row: Json
    moved: Iterable[Json]


def read_moves(written: str) -> list[Move]:
    """Read a list of rows with what they moved; the writer puts no spaces into its JSON.

    The text of a row is kept as it is, so that a claim's rows come out byte by byte.
    """
    moves, at = [], 1
    while written[at] != "]":
        parts: dict[str, tuple[str, Any]] = {}
        while written[at] != "}":
            name, colon = _decode(written, at + 1)
            value, end = _decode(written, colon + 1)
            parts[name] = written[colon + 1 : end], value
            at = end
        moves.append(Move(*parts["row"], parts["moved"][1]))
        at += 2 if written[at + 1] == "," else 1
    return moves


class Page:
    """What one entry does to accounts and tokens: to those that are replayed."""

    def __init__(
        self,
        accounts: dict[str, Hash],
        tokens: dict[str, Hash],
        entry_id: str,
        mine: Mine,
        *,
        is_recount: bool = False,
    ) -> None:
        """Work on these hashes, which are changed by ``close`` only.

        A recount draws nothing: it may find more used than a limit allows.
        """
        self._mine = mine
        self.entry_id = entry_id
        self.differences: list[Difference] = []
        self._accounts = accounts
        self._tokens = tokens
        self._balances: dict[str, dict[str, Balance]] = {}
        self._held: dict[str, dict[str, Balance]] = {}
        self._amended: dict[str, Json] = {}
        self._is_recount = is_recount

    def compare(self, what: str, field: str, expected: object, found: object) -> None:
        """Keep a difference, if it is one."""
        if expected != found:
            self.differences.append(
                Difference(
                    what=what,
                    field=field,
                    expected=_shown(expected),
                    found=_shown(found),
                    entry=self.entry_id,
                )
            )

    def amend(self, amended: Json) -> None:
        """Take the limits and the lines of the version that was matched."""
        if self._mine(amended["a"]):
            self._amended[amended["a"]] = amended

    def post(self, moves: Iterable[Move], state: int | None, sign: int) -> None:
        """Write rows on the copies (sign 1) or take them off (sign -1); nobody holds None."""
        for move in moves if state is not None else ():
            name, debits = move.row["a"], move.row["d"]
            if not self._mine(name):
                continue
            stated = list(move.moved)
            self.compare(_of(name), "moved", len(debits), len(stated))
            for number, debit in enumerate(debits):
                before, after = self._debit(name, debit, state or 0, sign)
                said = stated[number] if number < len(stated) else {}
                for field, own in (("n", debit[0]), ("b", before), ("f", after)):
                    self.compare(
                        f"authorization {name}", f"{debit[0]} {field}", own, said.get(field)
                    )

    def _debit(
        self, name: str, debit: list[str], state: int, sign: int
    ) -> tuple[list[str], list[str]]:
        """Move one debit of a row; gives the balances before and after it, as an entry has them."""
        account, units, amount = debit[0], int(debit[1]), int(debit[2])
        balance = self._balance(name, account)
        before = _told(balance)
        tokens = list(filter(None, debit[6].split(",")))
        for item in tokens:
            self._hold(name, account, f"u|{item}", state, sign)
        for item in filter(None, debit[7].split(",")):
            self._hold(name, account, f"d|{item}", state, sign)
        if not tokens:
            balance[MEASURE_AT["u"] + state] += sign * units
        balance[MEASURE_AT["m"] + state] += sign * amount
        return before, _told(balance)

    def _hold(self, name: str, account: str, token: str, state: int, sign: int) -> None:
        """A token costs one unit while somebody holds it: used if anybody uses it."""
        held = self._token(name, f"{account}|{token}")
        was = _holder(held)
        held[state] += sign
        is_now = _holder(held)
        if was != is_now:
            balance, at = self._balance(name, account), MEASURE_AT[token[0]]
            for holder, change in ((was, -SCALE), (is_now, SCALE)):
                if holder is not None:
                    balance[at + holder] += change

    def _balance(self, name: str, account: str) -> Balance:
        balances = self._balances.setdefault(name, {})
        if account not in balances:
            balances[account] = self._stored(name, account)
        return balances[account]

    def _stored(self, name: str, account: str) -> Balance:
        stored = self._accounts.get(name, {})
        return [int(stored.get(f"{account}.{field}", "0")) for field in FIELDS]

    def _token(self, name: str, field: str) -> Balance:
        held = self._held.setdefault(name, {})
        if field not in held:
            held[field] = list(map(int, self._stored_token(name, field).split(":")))
        return held[field]

    def _stored_token(self, name: str, field: str) -> str:
        return self._tokens.get(name, {}).get(field, "0:0")

    def correct(self, name: str, written: str, stated: Move) -> None:
        """Add by hand to what is used of one account: its name, units, amount and days."""
        if not self._mine(name):
            return
        account, *deltas = orjson.loads(written)
        balance = self._balance(name, account)
        before = _told(balance)
        self.move_correction(name, account, deltas)
        own = [{"n": account, "b": before, "f": _told(balance)}]
        self.compare(_of(name), f"{account} corrected", own, list(stated.moved))

    def move_correction(self, name: str, account: str, deltas: Iterable[str]) -> None:
        """Add to what was corrected of an account, or take from it."""
        if self._mine(name):
            balance = self._balance(name, account)
            for at, delta in zip(CORRECTED_AT.values(), deltas, strict=True):
                balance[at] += int(delta)

    def close(self, sequence: str) -> None:
        """Write what changed; ``sequence`` is what the entry says of it."""
        for balances in self._balances.values():
            for balance in balances.values():
                _lapse(balance)
        changed = {}
        for name in dict.fromkeys((*self._amended, *self._balances)):
            if self._is_changed(name):
                self._check(name)
                stored = self._accounts.setdefault(name, {"id": name})
                stored["n"] = changed[name] = str(int(stored.get("n", "0")) + 1)
                self._write(name, stored)
        self.compare_sequence(changed, sequence)

    def compare_sequence(self, changed: Mapping[str, str], stated: str) -> None:
        """Set the numbers of the changed authorizations against those that the entry states."""
        said = {name: number for name, number in orjson.loads(stated) if self._mine(name)}
        for name in dict.fromkeys((*changed, *said)):
            self.compare(_of(name), "sequence", changed.get(name), said.get(name))

    def _is_changed(self, name: str) -> bool:
        return (
            name in self._amended
            or any(
                balance != self._stored(name, account)
                for account, balance in self._balances.get(name, {}).items()
            )
            or any(
                _token_text(held) != self._stored_token(name, field)
                for field, held in self._held.get(name, {}).items()
            )
        )

    def _write(self, name: str, stored: Hash) -> None:
        if name in self._amended:
            amended = self._amended[name]
            stored |= {"v": amended["v"], "st": amended.get("st", "open")}
            stored |= {field: amended[field] for field in SHAPE if field in amended}
            for base, *limits in orjson.loads(amended["b"]):
                for field, limit in zip(LIMITS, limits, strict=True):
                    _put(stored, f"{base}.{field}", limit)
        stored.setdefault("v", "0")
        stored.setdefault("st", "open")
        for account, balance in self._balances.get(name, {}).items():
            for field, value in zip(FIELDS, balance, strict=True):
                if value or f"{account}.{field}" in stored:
                    stored[f"{account}.{field}"] = str(value)
        tokens = self._tokens.setdefault(name, {})
        for field, held in self._held.get(name, {}).items():
            _put(tokens, field, _token_text(held) if any(held) else "")
        if not tokens:
            del self._tokens[name]

    def _check(self, name: str) -> None:
        """See to it that nothing is below zero, and that nothing grew beyond its limit."""
        limits = dict(self._limits(name))
        for account, balance in self._balances.get(name, {}).items():
            was = self._stored(name, account)
            for field, value in zip(HELD, balance[: len(HELD)], strict=True):
                if value < 0:
                    self.compare(_of(name), f"{account}.{field}", "0 or more", str(value))
            for measure, at in MEASURE_AT.items():
                limit = limits.get(f"{base_of(account)}.{measure}l")
                total, before = (_used(each, at) + each[at + 1] for each in (balance, was))
                is_corrected = balance[CORRECTED_AT[measure]] > was[CORRECTED_AT[measure]]
                is_free = is_corrected or self._is_recount
                if limit and total > max(int(limit), before) and not is_free:
                    field = f"{account}.{measure}"
                    self.compare(_of(name), field, f"{limit} or less", str(total))

    def _limits(self, name: str) -> Iterator[tuple[str, str]]:
        """Give the limits in force: those stored, then those that the entry brings."""
        yield from self._accounts.get(name, {}).items()
        amended = self._amended.get(name)
        for base, *limits in orjson.loads(amended["b"]) if amended else ():
            for field, limit in zip(LIMITS, limits, strict=True):
                yield f"{base}.{field}", limit


def _used(balance: Balance, at: int) -> int:
    """What is used of the measure that begins at a place, as it was corrected."""
    return max(0, balance[at] + balance[CORRECTED_AT["umd"[at // 2]]])


def _told(balance: Balance) -> list[str]:
    """Used and reserved of each measure, as an entry has them."""
    places = MEASURE_AT.values()
    return [str(each) for at in places for each in (_used(balance, at), balance[at + 1])]


def _lapse(balance: Balance) -> None:
    """A correction that took use off lapses with the use that it took off."""
    for measure, at in CORRECTED_AT.items():
        balance[at] = max(balance[at], -balance[MEASURE_AT[measure]])


def _holder(held: Balance) -> int | None:
    """Say whether a token counts as used (0) or reserved (1), or not at all."""
    return 0 if held[0] > 0 else 1 if held[1] > 0 else None


def _token_text(held: Balance) -> str:
    return f"{held[0]}:{held[1]}"


def _put(stored: Hash, field: str, value: str) -> None:
    """Set a field; an empty value drops it."""
    if value:
        stored[field] = value
    else:
        stored.pop(field, None)


def _of(name: str) -> str:
    return f"authorization {name}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
