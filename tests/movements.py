"""Moves units directly in the accumulators, without matching: for tests of what keeps them true."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.accounting.books.books import Amendment, DrawRequest, LookedUp, Moved, Occasion
from service.accounting.books.plan import (
    Bounds,
    ClaimPlan,
    Debit,
    Draw,
    Drawable,
    LinePlan,
    Part,
    Way,
)
from service.accounting.books.record import pack
from service.accounting.books.rows import shrink, units_of
from service.accounting.books.scale import CENT, SCALE
from service.accounting.books.waiting import Waiting
from service.application.parts import Stores
from service.domain.terms import HowCounted
from service.settings import DEVELOPMENT_SECRET
from service.stores.connection.key_names import BookKeys, KeyNames
from tests.builders import build_claim

AT = "2026-11-22T00:00:00Z"
UNTOLD = HowCounted("-", "")
"""How an authorization counts of which nobody says it."""
MEMBER = "M0001"


def bounds(units: int | None = 10, amount: int | None = None, days: int | None = None) -> Bounds:
    """Limits of a base, in whole units."""
    scaled = (None if each is None else each * SCALE for each in (units, amount, days))
    return Bounds(**dict(zip(("units", "amount", "days"), scaled, strict=True)), unit="UN")


def part(
    want: int,
    authorizations: Mapping[str, Bounds],
    price: tuple[int, int] | None = None,
    **debit: Any,
) -> Part:
    """A part of a claim line that may be drawn from any of these, one after the other."""
    debits = (Debit(account="H", **debit), Debit(account="L1", **debit))
    draws = tuple(
        Draw(authorization_id=each, line=1, origin="automatic", debits=debits, price=price)
        for each in authorizations
    )
    return Part(
        number=1,
        want=want * SCALE,
        step=SCALE,
        charge=want * 60 * SCALE,
        cent=CENT,
        days=1,
        ways=(Way(kind="authorization", draws=draws),),
    )


@dataclass
class Mover:
    """Moves units of one payer; ``version`` is that of all authorizations, and how they count."""

    stores: Stores
    payer: str
    member: str = MEMBER
    version: int = 1
    counted: HowCounted = UNTOLD

    @property
    def keys(self) -> BookKeys:
        """The book of the payer."""
        return names_of(self.stores).book(self.payer)

    def named(self, authorization_id: str) -> str:
        """An authorization of this member: those of others have other ids."""
        return authorization_id if self.member == MEMBER else f"{authorization_id}-{self.member}"

    async def look_up(self, claim_id: str) -> LookedUp:
        """A claim as it stands."""
        books = self.stores.accumulators
        found = await books.look_up(self.payer, claim_id, self.member)
        found = await books.recall(self.payer, found)
        assert found.is_of_person(found.claim)
        return found

    async def draw(
        self,
        claim_id: str,
        want: int = 4,
        *,
        of: Mapping[str, Bounds] | None = None,
        state: str = "used",
        replaces: str | None = None,
        waits: bool = False,
        charges: Sequence[str] = (),
        **debit: Any,
    ) -> Moved:
        """Draw the next version of a claim, in place of what it or the one it replaces had."""
        found, books = await self.look_up(claim_id), self.stores.accumulators
        authorizations = {self.named("A1"): bounds()} if of is None else of
        claim = found.claim
        original = await books.read_claim(self.payer, replaces) if replaces else None
        lines = (LinePlan(line=1, whole_only=False, parts=(part(want, authorizations, **debit),)),)
        matched = [{"authorization_id": each} for each in (*authorizations, self.named("A-denied"))]
        request = DrawRequest(
            claim=claim,
            version=claim.version + 1,
            fingerprint=f"fp-{claim.version + 1}",
            state=state,
            plan=ClaimPlan(
                lines=lines if want else (),
                authorizations={
                    name: Drawable(
                        authorization_id=name,
                        version=self.version,
                        bounds={"H": each, "L1": Bounds()},
                        shape=self.counted.shape,
                        lines=self.counted.lines,
                    )
                    for name, each in authorizations.items()
                },
            ),
            occasion=Occasion(kind="replace" if replaces else "apply", at=AT, by="jo", why="test"),
            owner=found.owner,
            marked=found.owners[0],
            last_push=found.last_push,
            original=original,
            original_status="replaced" if replaces else "",
            record=pack(self._record(claim_id, want)),
            matched=tuple(each["authorization_id"] for each in matched),
            waiting=Waiting(events=waits, exhausted=True, exceeded=True),
            charges=await books.read_claims(self.payer, charges),
        )
        return await books.draw(self.payer, request)

    def _record(self, claim_id: str, want: int) -> dict[str, Any]:
        """What the ledger finds it by, and a later version needs to count the claim anew."""
        line = {"units": str(max(want, 1)), "charge": str(want * 60)}
        name = claim_id.replace("/", "-")  # what is kept of it is read as what was sent
        sent = build_claim(claim_id=name, member={"id": self.member}, line=line)
        kinds = [{"kind": "authorization", "query_type": "professional"}]
        return {
            "claim": {"claim_type": "professional"},
            "sent": sent.model_dump_json(by_alias=True),
            "lines": [
                {
                    "line": 1,
                    "asks": False,
                    "kinds": kinds,
                    "results": [],
                    "events": [],
                    "benefit": {"limit_adjustments": []},
                }
            ],
        }

    async def change(self, claim_id: str, status: str, keep: int | None = None) -> Moved:
        """Make a claim used, or give back all or what is over ``keep`` units of it."""
        books = self.stores.accumulators
        claim = await books.read_claim(self.payer, claim_id)
        rows = claim.rows if keep is None else tuple(shrink(claim.rows, {1: keep * SCALE}))
        if status in ("released", "reversed"):
            rows = ()
        return await books.change(self.payer, claim, rows, status, Occasion(kind="change", at=AT))

    async def amend(self, authorization_id: str, limit: int, *, is_void: bool = False) -> None:
        """Push a next version of all with another limit of units for one."""
        self.version += 1
        amendment = Amendment(
            authorization_id=authorization_id,
            version=self.version,
            is_void=is_void,
            bounds={"H": bounds(limit)},
            counted=self.counted,
        )
        await self.stores.accumulators.amend(self.payer, amendment, Occasion(kind="amend", at=AT))

    async def some_of_everything(self, seed: int, steps: int = 40) -> None:
        """Draw, redraw, replace, attach, change and amend in an order that the seed decides."""
        chance = random.Random(seed)
        granted = {"A1": bounds(20, 900), "A2": bounds(15), "A3": bounds(30, None, 6)}
        of = {self.named(name): limits for name, limits in granted.items()}
        known: list[str] = []
        for step in range(steps):
            claim_id = f"C/{self.member}-{step}"
            actions = ("draw", "draw", "redraw", "replace", "attach", "change", "amend")
            action, charge = chance.choice(actions), f"charge:{self.member}-{step % 5}"
            some = {each: of[each] for each in chance.sample(sorted(of), 2)}
            days = tuple(f"2026-11-{chance.randint(1, 9):02}" for _ in range(2))
            debit = chance.choice(({}, {"day_tokens": days[:1]}, {"unit_tokens": days}))
            if action == "amend" and known:
                name, limit = chance.choice(sorted(of)), chance.randint(3, 30)
                of[name] = bounds(limit)
                await self.amend(name, limit)
                continue
            if action == "change" and known:
                await self._change_one(chance.choice(known), chance)
                continue
            if action == "redraw" and known:
                claim_id = chance.choice(known)
            if action == "attach":
                await self.draw(charge, chance.randint(1, 3), of=some, state="reserved")
                continue
            replaces = chance.choice(known) if action == "replace" and known else None
            await self.draw(
                claim_id,
                chance.randint(1, 7),
                of=some,
                state=chance.choice(("used", "reserved")),
                replaces=replaces,
                waits=chance.random() < 0.5,
                charges=[charge] if chance.random() < 0.5 else [],
                **debit,
            )
            known = list(dict.fromkeys((*known, claim_id)))

    async def _change_one(self, claim_id: str, chance: random.Random) -> None:
        claim = await self.stores.accumulators.read_claim(self.payer, claim_id)
        if claim.is_held:
            status = chance.choice(("used", "released", claim.status))
            held = units_of(claim.rows).get(1, 0) // SCALE
            keep = chance.randint(0, held) if status == claim.status else None
            await self.change(claim_id, status, keep)


def names_of(stores: Stores) -> KeyNames:
    """The names of the keys of these stores."""
    return KeyNames(prefix=f"authmatch:{stores.indices.prefix}", secret=DEVELOPMENT_SECRET.encode())


async def forget(stores: Stores, payer: str) -> None:
    """Lose all that Redis has of a payer."""
    pattern = f"{names_of(stores).book(payer).prefix}:*"
    for key in [key async for key in stores.redis.scan_iter(pattern, count=1000)]:
        await stores.redis.delete(key)
