"""Moves units of six claims and three authorizations of one member, and keeps the model of them."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from service.accounting.books.books import (
    Amendment,
    AuthorizationChanged,
    ClaimMoved,
    DrawRequest,
    Occasion,
)
from service.accounting.books.claim_state import ClaimState
from service.accounting.books.plan import Bounds, LinePlan, base_of
from service.accounting.books.rows import HeldRow, shrink, units_of
from service.accounting.books.scale import SCALE
from service.accounting.replay.ledger import Replayed
from service.accounting.replay.ledger_check import check_holdings
from service.domain.terms import HowCounted
from service.stores.connection.key_names import BookKeys
from service.stores.units._hashes import read_accounts, read_claim_state
from tests.movements import names_of as names_of_keys
from tests.stores.books_bed import CLAIMS, NAMES, Bed, Known, dump, names_of
from tests.stores.books_model import ModelClaim, Trial, tally_of, uneven
from tests.stores.claim_plans import with_limits

MEMBER = "M0001"
MEASURES = {"units": "u", "amount": "m", "days": "d"}
HOLDING = ("used", "reserved")


class Desk:
    """A payer of its own; every step is done in the books and in the model."""

    def __init__(self, bed: Bed, limits: Sequence[dict[str, Bounds]]) -> None:
        """Begin with empty books, and the first version of every authorization."""
        self._bed = bed
        self._books = bed.stores.accumulators
        self._payer = f"p-{uuid.uuid4().hex[:12]}"
        self._keys: BookKeys = names_of_keys(bed.stores).book(self._payer)
        self._found = bed.run(self._books.look_up(self._payer, CLAIMS[0], MEMBER))
        self._replayed = Replayed()
        self._has_rested = False
        self._spent: dict[tuple[str, str, str], int] = {}
        self._last_draw: DrawRequest | None = None
        self._last_change: tuple[ClaimState, tuple[HeldRow, ...], str] | None = None
        self.claims = {name: ModelClaim() for name in CLAIMS}
        self.known = {name: Known(limits=each) for name, each in zip(NAMES, limits, strict=True)}

    def close(self) -> None:
        """Leave nothing behind."""
        redis = self._bed.stores.redis
        self._bed.run(redis.delete(*names_of(self._keys), self._keys.ledger))

    # Drawing -------------------------------------------------------------------------------------

    def draw(
        self,
        claim: str,
        lines: tuple[LinePlan, ...],
        state: str,
        original: str | None = None,
        original_status: str = "",
        *,
        is_again: bool = False,
    ) -> None:
        """Draw a claim: just what the model grants, and a dry run before it says the same."""
        request = self._request(claim, lines, state, original, original_status, is_again=is_again)
        if self._is_void(request):
            return
        others = [each for name, each in self.claims.items() if name not in (claim, original)]
        trial = Trial(
            tally_of(others), {name: each.limits for name, each in self.known.items()}, state
        )
        expected = trial.grant(request.plan)
        before = self._dump()
        dry = self._bed.run(self._books.draw(self._payer, replace(request, dry=True)))
        assert self._dump() == before
        moved = self._bed.run(self._books.draw(self._payer, request))
        assert (moved.drawn, moved.short) == (dry.drawn, dry.short)
        stored = self._read(claim)
        assert list(stored.rows) == expected.rows, (stored.rows, expected.rows)
        assert list(moved.short) == expected.short
        assert not [part for line in lines for part in uneven(stored.rows, line)]
        mine = self.claims[claim]
        assert len(moved.undone) == (len(mine.rows) if mine.status in HOLDING else 0)
        self.claims[claim] = ModelClaim(state, request.version, tuple(expected.rows))
        if original:
            version = self.claims[original].version
            self.claims[original] = ModelClaim(original_status, version, replaced_by=claim)
        for name, each in request.plan.authorizations.items():
            known = self.known[name]
            if each.version > known.told_version:
                known.told_version, known.is_told_void = each.version, False
            known.told |= each.bounds
        self._last_draw = request

    def _is_void(self, request: DrawRequest) -> bool:
        """Whether it would be drawn on what is void; the books refuse that when they were told."""
        void = [each for each in request.plan.authorizations if self.known[each].is_void]
        for name in void:
            self.amend(name)
        if any(self.known[name].is_told_void for name in void):
            self._refused(request, void)
        return bool(void)

    def _refused(self, request: DrawRequest, names: Sequence[str]) -> None:
        before = self._dump()
        with pytest.raises(AuthorizationChanged) as changed:
            self._bed.run(self._books.draw(self._payer, request))
        assert changed.value.authorization_id in names
        assert self._dump() == before

    def draw_from_an_older_version(self, claim: str, lines: tuple[LinePlan, ...]) -> None:
        """Draw on versions before those in force, where there are any."""
        request = self._request(claim, lines, "used")
        older = [each for each in request.plan.authorizations if self.known[each].told_version > 1]
        if older:
            versions = {name: max(1, each.told_version - 1) for name, each in self.known.items()}
            limits = {name: each.limits for name, each in self.known.items()}
            plan = with_limits(lines, versions, limits)
            self._refused(replace(request, plan=plan), older)

    def draw_again(self) -> None:
        """Send the last draw once more: it is refused, and the books tell that it was answered."""
        request = self._last_draw
        if request is None:
            return
        before = self._dump()
        with pytest.raises(ClaimMoved):
            self._bed.run(self._books.draw(self._payer, request))
        assert self._dump() == before
        stored = self._read(request.claim.claim_id)
        assert stored.fingerprints[request.version] == request.fingerprint

    def _request(
        self,
        claim: str,
        lines: tuple[LinePlan, ...],
        state: str,
        original: str | None = None,
        original_status: str = "",
        *,
        is_again: bool = False,
    ) -> DrawRequest:
        read = self._read(claim)
        return DrawRequest(
            claim=read,
            version=read.version + (not is_again or not read.version),
            fingerprint=uuid.uuid4().hex,
            state=state,
            plan=with_limits(
                lines,
                {name: each.version for name, each in self.known.items()},
                {name: each.limits for name, each in self.known.items()},
            ),
            occasion=occasion("apply" if state == "used" else "reserve"),
            owner=self._found.owner,
            marked=self._found.owner,
            original=self._read(original) if original else None,
            original_status=original_status,
        )

    # Giving back and amending --------------------------------------------------------------------

    def give_back(self, claim: str, step: str, share: int) -> None:
        """Finalize or keep so many twelfths of each line, release or reverse it all."""
        mine, state = self.claims[claim], self._read(claim)
        keep = units_of(mine.rows)
        rows: tuple[HeldRow, ...] = ()
        if step in ("finalize", "keep"):
            if share < 12:
                keep = {line: units * share // 12 // SCALE * SCALE for line, units in keep.items()}
            rows = tuple(shrink(state.rows, keep))
            assert units_of(rows) == {line: units for line, units in keep.items() if units}
        status = {"finalize": "used", "keep": mine.status}.get(step, f"{step}d")
        self._bed.run(self._books.change(self._payer, state, rows, status, occasion(step)))
        mine.rows, mine.status = rows, status
        self._last_change = state, rows, status

    def give_back_again(self) -> None:
        """Send the last change once more: it is refused."""
        if self._last_change is None:
            return
        state, rows, status = self._last_change
        before = self._dump()
        with pytest.raises(ClaimMoved):
            self._bed.run(self._books.change(self._payer, state, rows, status, occasion("again")))
        assert self._dump() == before

    def amend(self, name: str) -> None:
        """Tell the books of the version that was pushed last; twice is once."""
        known = self.known[name]
        amendment = Amendment(
            authorization_id=name,
            version=known.version,
            is_void=known.is_void,
            bounds={base: each for base, each in known.limits.items() if base not in known.gone},
            counted=HowCounted("-", ""),
        )
        self._bed.run(self._books.drawn_on(self._payer, [name]))  # as a push does
        self._bed.run(self._books.amend(self._payer, amendment, occasion("amend")))
        after = self._dump()
        older = replace(amendment, version=known.version - 1, bounds={"H": Bounds(units=1)})
        for each in (amendment, older):
            self._bed.run(self._books.amend(self._payer, each, occasion("amend")))
            assert self._dump() == after
        if known.told_version:  # what nobody ever drew on has no account
            known.told_version, known.is_told_void = known.version, known.is_void
            known.told |= amendment.bounds

    def rest(self) -> None:
        """Let a year go by: all is taken out of Redis, and is what it was."""
        stores, before, self._has_rested = self._bed.stores, self._dump(), True
        self._bed.run(stores.projection.project(self._payer))
        year_ms = 365 * 24 * 3600 * 1000
        now_ms = int(time.time() * 1000) + year_ms
        self._bed.run(stores.resting.rest(self._payer, now_ms=now_ms))
        assert self._bed.run(stores.redis.exists(*names_of(self._keys))) == 0
        self._last_draw = self._last_change = None  # a request does not travel for a year
        assert self._dump() | {self._keys.ledger: None} == before | {self._keys.ledger: None}

    def _read(self, claim: str) -> ClaimState:
        return self._bed.run(self._books.read_claim(self._payer, claim))

    def _dump(self) -> dict[str, Any]:
        return self._bed.run(dump(self._bed.stores, self._keys, rested=self._has_rested))

    # What always holds ---------------------------------------------------------------------------

    def check(self) -> None:
        """See that claims, balances, limits and ledger are those of the model."""
        stored = self._dump()
        self._check_claims(stored)
        self._check_balances(stored)
        self._check_ledger(stored)

    def _check_claims(self, stored: dict[str, Any]) -> None:
        for name, mine in self.claims.items():
            claim = read_claim_state(name, stored.get(self._keys.claim(name), {}))
            assert (claim.status, claim.version) == (mine.status, mine.version)
            assert (claim.rows, claim.replaced_by) == (mine.rows, mine.replaced_by)
            for row in claim.rows:
                assert {each.amount for each in row.debits} in ({row.amount}, {0})
                accounts = {each.account for each in row.debits}
                assert "H" in accounts
                assert not row.authorization_line or f"L{row.authorization_line}" in accounts

    def _check_balances(self, stored: dict[str, Any]) -> None:
        found = {}
        for name, known in self.known.items():
            fields = stored.get(self._keys.accounts(name), {})
            state = read_accounts(fields)
            assert (state.version, state.is_void) == (known.told_version, known.is_told_void)
            assert limits_in(fields) == limits_of(known.told)
            for account in state.accounts:
                for measure, balance in account.balances.items():
                    short = MEASURES[measure]
                    assert min(balance.used, balance.reserved) >= 0
                    found[name, account.name, f"{short}u"] = balance.used
                    found[name, account.name, f"{short}r"] = balance.reserved
                    limit = getattr(known.told.get(base_of(account.name), Bounds()), measure)
                    spent, place = balance.used + balance.reserved, (name, account.name, short)
                    assert limit is None or spent <= max(limit, self._spent.get(place, 0))
                    self._spent[place] = spent
        model = tally_of(self.claims.values()).balances()
        assert {place: number for place, number in found.items() if number} == model

    def _check_ledger(self, stored: dict[str, Any]) -> None:
        redis: Any = self._bed.stores.redis
        entries = redis.xrange(self._keys.ledger, min=f"({self._replayed.last}")
        for entry, fields in self._bed.run(entries):
            self._replayed.take(entry, fields)
        assert self._replayed.differences == []
        assert check_holdings(self._replayed) == []
        for kind, made, key in (
            ("accounts", self._replayed.accounts, self._keys.accounts),
            ("tokens", self._replayed.tokens, self._keys.tokens),
            ("claims", self._replayed.claims, self._keys.claim),
        ):
            for name, fields in made.items():
                assert stored.pop(key(name)) == fields, kind
        assert set(stored) <= {self._keys.ledger}


def limits_in(fields: dict[str, str]) -> dict[str, int]:
    """The limits that are stored, by field."""
    return {
        name: int(value) for name, value in fields.items() if name[-3:] in (".ul", ".ml", ".dl")
    }


def limits_of(told: dict[str, Bounds]) -> dict[str, int]:
    """The limits that should be stored, by field."""
    return {
        f"{base}.{short}l": limit
        for base, bounds in told.items()
        for measure, short in MEASURES.items()
        if (limit := getattr(bounds, measure)) is not None
    }


def occasion(kind: str) -> Occasion:
    """Give a reason to move something."""
    return Occasion(kind=kind, at="2026-03-12T10:00:00.000+00:00", by="model")
