"""Alerts of a day's use, against one scan of the same accumulators.

Each authorization was drawn on once that day; one in ten is over 80 % used by it, and its alert is
raised. Both read the accumulators in the same steps.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.measure import Measured, at_most
from service.accounting.books.books import DrawRequest, Occasion
from service.accounting.books.claim_state import ClaimState
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
from service.accounting.books.scale import CENT, SCALE
from service.application.collector import quieten_collector
from service.application.parts import Application, application
from service.domain.authorization import Authorization
from service.domain.submission import Pushed
from service.settings import Settings
from service.stores.connection.clock import now

AT_ONCE = 500
DRAWN_AT_ONCE = 64
LIMIT, MUCH, LITTLE = 20, 17, 1
MUCH_IN = 10
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Used:
    """The authorizations of a payer, so many of which are mostly used."""

    payer: str
    names: Sequence[str]
    mostly: int


async def row(settings: Settings, payer: str, count: int) -> Measured:
    """Evaluate so many in turns with a scan; each round raises the same alerts once more."""
    async with application(settings) as parts:
        quieten_collector()  # as the service does
        await parts.stores.installation.install()
        used = await _used(parts, payer, count)
        evaluated: list[float] = []
        scanned: list[float] = []
        for _ in range(ROUNDS):
            scanned.append(await _scan(parts, used))
            evaluated.append(await _evaluate(parts, used))
            await _forget(parts, used)
        what = f"{count:,} authorizations looked at for alerts after a day's use"
        return at_most(what, median(evaluated), median(scanned), 2, "s")


async def _used(parts: Application, payer: str, count: int) -> Used:
    """Push authorizations of twenty units and draw on each."""
    bodies = [_body(each) for each in range(count)]
    names = []
    for start in range(0, len(bodies), AT_ONCE):
        some = [Authorization.model_validate(each) for each in bodies[start : start + AT_ONCE]]
        pushed = [
            Pushed(authorization=one, source=source)
            for one, source in zip(some, bodies[start : start + AT_ONCE], strict=True)
        ]
        await parts.stores.authorizations.push(payer, pushed)
        names += [one.authorization_id for one in some]
    for start in range(0, len(names), DRAWN_AT_ONCE):
        turn = range(start, min(len(names), start + DRAWN_AT_ONCE))
        await asyncio.gather(*(_draw(parts, payer, names[each], each) for each in turn))
    return Used(payer, names, len(range(0, len(names), MUCH_IN)))


def _body(number: int) -> dict[str, object]:
    """Twenty units of one service, for long, of a person of its own."""
    return {
        "authorization_id": f"alert-{number}",
        "version": 1,
        "kind": "authorization",
        "setting": "professional",
        "number": f"alert-{number}",
        "member": {"id": f"M{number}"},
        "decision": {"action": "A1"},
        "effective": {"from": "2020-01-01", "to": "2099-12-31"},
        "servicing_provider": {"npi": "1234567893", "tin": "741234567"},
        "diagnoses": [{"code": "M54.50", "type": "ABK"}],
        "limits": {"units": str(LIMIT), "unit": "UN"},
        "lines": [{"line": 1, "procedure": {"from": "97110", "to": "97140"}, "modifiers": ["GP"]}],
    }


async def _draw(parts: Application, payer: str, name: str, number: int) -> None:
    units = MUCH if number % MUCH_IN == 0 else LITTLE
    owner = f"{number:032x}"
    draw = Draw(authorization_id=name, line=1, origin="automatic", debits=(Debit(account="H"),))
    part = Part(
        number=1,
        want=units * SCALE,
        step=SCALE,
        charge=100 * SCALE,
        cent=CENT,
        days=1,
        ways=(Way(kind="authorization", draws=(draw,)),),
    )
    bounds = {"H": Bounds(units=LIMIT * SCALE, unit="UN")}
    known = Drawable(authorization_id=name, version=1, bounds=bounds)
    line = LinePlan(line=1, whole_only=False, parts=(part,))
    await parts.stores.accumulators.draw(
        payer,
        DrawRequest(
            claim=ClaimState(claim_id=f"C-{name}"),
            version=1,
            fingerprint="f" * 32,
            state="used",
            plan=ClaimPlan(lines=(line,), authorizations={name: known}),
            occasion=Occasion(kind="apply", at=now()),
            owner=owner,
            marked=owner,
            record="",
        ),
    )


async def _scan(parts: Application, used: Used) -> float:
    began = time.perf_counter()
    for some in _steps(used.names):
        await parts.stores.accumulators.accounts_of_all(used.payer, some)
    return time.perf_counter() - began


async def _evaluate(parts: Application, used: Used) -> float:
    began = time.perf_counter()
    found = await parts.stores.alerts.evaluating.moved(used.payer, used.names)
    seconds = time.perf_counter() - began
    if found != used.mostly:
        raise RuntimeError(f"{found} alerts were raised of {used.mostly}")
    return seconds


async def _forget(parts: Application, used: Used) -> None:
    """Drop the alerts, so that the next round raises them anew."""
    index = parts.stores.indices.alerts
    await parts.stores.elasticsearch.indices.delete(index=index)
    await parts.stores.installation.install()


def _steps(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))
