"""How requests were decided in a year, as CMS-0057-F has payers publish it (42 CFR 422.122(c)).

Drugs are left out. Small counts are not told: nobody is to be known by them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from statistics import fmean, median
from typing import Literal

from typing_extensions import TypedDict

from service.domain.authorization import VOID_ACTION, Authorization, AuthorizationLine, Scope
from service.domain.codes import bare
from service.domain.decision_clock import decision_clock, due_at
from service.domain.effective import effective_action
from service.domain.moment import in_zone

SMALL_CELL = 11
"""Counts below are not published, but for zero (CMS cell size suppression policy)."""
DRUG_TYPES = frozenset({"88", "89", "90", "91", "92"})
"""Service types of pharmacy and prescription drugs (X12 element 1365, UM03)."""
DRUG_SYSTEMS = frozenset({"NDC", "N4", "RXNORM"})
NOT_SAID, OTHERS = "not said", "others"

Decided = Literal["approved", "denied", "partly_approved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request for authorization, and how it was decided first.

    ``decided_on`` is the day in the payer's time zone; ``overturned``: denied, and approved later.
    """

    is_expedited: bool
    is_extended: bool
    decided: Decided
    decided_at: datetime
    hours: float | None
    in_time: bool | None
    overturned: bool
    services: tuple[str, ...]


def request_in(versions: Sequence[Authorization], zone: tzinfo) -> Request | None:
    """The request that versions of an authorization tell of, the oldest first.

    None where it is for drugs alone, is no request for an authorization, or is not decided.
    """
    told = [(each, _scopes(each)) for each in versions if each.kind == "authorization"]
    told = [(each, scopes) for each, scopes in told if scopes]
    clocks = [decision_clock(each, zone) for each, _ in told]
    place = next((at for at, each in enumerate(clocks) if each.decided is not None), None)
    if place is None or (decided_at := clocks[place].decided) is None:
        return None
    until = clocks[: place + 1]
    received = next((each.received for each in until if each.received is not None), None)
    is_expedited = until[0].is_expedited
    due = next((each.due for each in reversed(until) if each.is_extended), None)
    if due is None and received is not None:
        due = due_at(received, zone, is_expedited=is_expedited)
    clock = replace(clocks[place], received=received, due=due)
    decided = _decided(*told[place])
    later = (_decided(*each) for each in told[place + 1 :])
    return Request(
        is_expedited=is_expedited,
        is_extended=any(each.is_extended for each in until),
        decided=decided,
        decided_at=decided_at,
        hours=clock.hours,
        in_time=None if due is None else clock.stands(decided_at) == "in-time",
        overturned=decided != "approved" and "approved" in later,
        services=tuple(dict.fromkeys(_service(each, told[place][0]) for each in told[place][1])),
    )


def _scopes(authorization: Authorization) -> list[Scope]:
    """The services that are no drugs and were not taken back; the header where there are none."""
    scopes: Sequence[Scope] = authorization.lines or (authorization,)
    return [
        each
        for each in scopes
        if not _is_drug(each, authorization)
        and effective_action(each, authorization) != VOID_ACTION
    ]


def _is_drug(scope: Scope, header: Authorization) -> bool:
    types = _types(scope) or _types(header)
    if types and set(types) <= DRUG_TYPES:
        return True
    procedure = scope.procedure if isinstance(scope, AuthorizationLine) else None
    if procedure is None:
        return False
    code = bare(procedure.from_ or "")
    is_hcpcs_drug = len(code) == 5 and code[0] == "J" and code[1:].isdigit()
    return is_hcpcs_drug or (procedure.code_system or "").upper() in DRUG_SYSTEMS


def _types(scope: Scope) -> list[str]:
    return list(map(bare, filter(None, (scope.service_type, *scope.service_types))))


def _service(scope: Scope, header: Authorization) -> str:
    """What a service is called: its type, else its procedure."""
    if types := _types(scope) or _types(header):
        return f"type {types[0]}"
    procedure = scope.procedure if isinstance(scope, AuthorizationLine) else None
    if procedure is None:
        return NOT_SAID
    if procedure.group is not None:
        return procedure.group
    return "-".join(map(bare, filter(None, (procedure.from_, procedure.to)))) or NOT_SAID


def _decided(authorization: Authorization, scopes: Iterable[Scope]) -> Decided:
    actions = {effective_action(each, authorization) for each in scopes}
    if "A3" not in actions:
        return "approved" if actions <= {"A1", "A2", "A6", "NA"} else "denied"
    return "denied" if actions == {"A3"} else "partly_approved"


class Share(TypedDict):
    """A count and its percentage of what was decided; null where it is too small to be told."""

    count: int | None
    percent: float | None


class Metrics(TypedDict):
    """How requests of a kind were decided; times in hours, of those whose receipt is known."""

    decided: int | None
    approved: Share
    denied: Share
    partly_approved: Share
    approved_after_appeal: Share
    extended_and_approved: Share
    in_time: Share
    mean_hours: float | None
    median_hours: float | None


@dataclass(slots=True)
class Tally:
    """Counts requests of a kind."""

    requests: list[Request] = field(default_factory=list)

    def metrics(self, *, small_cells: bool = False) -> Metrics:
        """What is told of them; ``small_cells``: also small counts."""
        of, least = self.requests, 1 if small_cells else SMALL_CELL
        counts = {name: sum(each.decided == name for each in of) for name in _DECIDED}
        hidden = {name for name, count in counts.items() if 0 < count < least}
        if len(hidden) == 1:  # it could be told from the others
            others = sorted((count, name) for name, count in counts.items() if count >= least)
            hidden |= {others[0][1]} if others else set()
        hours = sorted(each.hours for each in of if each.hours is not None)
        is_told = len(hours) >= least

        def share(count: int, *, is_hidden: bool = False) -> Share:
            if is_hidden or 0 < count < least or not of:
                return {"count": None if of else 0, "percent": None}
            return {"count": count, "percent": round(100 * count / len(of), 1)}

        return {
            "decided": None if 0 < len(of) < least else len(of),
            "approved": share(counts["approved"], is_hidden="approved" in hidden),
            "denied": share(counts["denied"], is_hidden="denied" in hidden),
            "partly_approved": share(
                counts["partly_approved"], is_hidden="partly_approved" in hidden
            ),
            "approved_after_appeal": share(sum(each.overturned for each in of)),
            "extended_and_approved": share(
                sum(each.is_extended and each.decided == "approved" for each in of)
            ),
            "in_time": share(sum(each.in_time is True for each in of)),
            "mean_hours": round(fmean(hours), 1) if is_told else None,
            "median_hours": round(median(hours), 1) if is_told else None,
        }


_DECIDED: tuple[Decided, ...] = ("approved", "denied", "partly_approved")


@dataclass(slots=True)
class YearOfDecisions:
    """Counts the requests that were decided in a year, by how soon and by service."""

    year: int
    zone: tzinfo
    standard: Tally = field(default_factory=Tally)
    expedited: Tally = field(default_factory=Tally)
    by_service: dict[str, Tally] = field(default_factory=dict)

    def add(self, versions: Sequence[Authorization]) -> None:
        """Count the request of an authorization, if it was decided then."""
        request = request_in(versions, self.zone)
        if request is None or in_zone(request.decided_at, self.zone).year != self.year:
            return
        (self.expedited if request.is_expedited else self.standard).requests.append(request)
        for service in request.services:
            self.by_service.setdefault(service, Tally()).requests.append(request)

    def services(self, *, small_cells: bool = False) -> Iterator[tuple[str, Metrics]]:
        """Each service by name; those with few requests are told together."""
        least = 1 if small_cells else SMALL_CELL
        by_size = sorted(self.by_service.items(), key=lambda each: (len(each[1].requests), each[0]))
        few: list[Request] = []
        while by_size and (len(by_size[0][1].requests) < least or 0 < len(few) < least):
            few += by_size.pop(0)[1].requests
        for name, tally in sorted(by_size):
            yield name, tally.metrics(small_cells=small_cells)
        if few:
            yield OTHERS, Tally(few).metrics(small_cells=small_cells)
