"""What is asked of charges: what they need, what is valid for them, attached and detached.

Whatever takes a decision in (an approval that arrives, a page, a command) attaches by ``attach``.
"""

from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from service.access.act import note
from service.accounting.books.books import LookedUp, occasion_of
from service.accounting.books.claim_state import BILLED, ClaimState
from service.accounting.books.grant import Measure
from service.accounting.books.rows import is_counter_book
from service.accounting.books.scale import written, written_amount
from service.application.intake import NotFound
from service.application.parts import Caller
from service.domain.adjudication import ClaimChange
from service.domain.answers import CandidateBalance, GivenBack, MeasureName, UsedAuthorization
from service.domain.charge import Charge, held_as, selection_of
from service.domain.claim import AuthorizationKind
from service.domain.values import Frozen, Identifier, Text
from service.flow.adjudicating.adjudicate import Conflict, Overtaken, adjudicate
from service.flow.adjudicating.charges import Checked, Looked, Reason
from service.flow.adjudicating.charges import check as look
from service.flow.adjudicating.choosing import BadSelection
from service.flow.adjudicating.claim_life import UnknownClaim, change_claim
from service.flow.adjudicating.run import Run
from service.stores.authorizations.reading import Filter
from service.stores.connection.clock import now
from service.stores.ledger.entry import claims_in
from service.stores.ledger.reading import MOVED

_HOLDERS_MAX = 20
_SHOWN_MAX = 500
_TRIES = 3

WHY: Mapping[Reason, str] = {
    "void": "it was cancelled or withdrawn",
    "superseded": "another one took its place",
    "kind": "it is of another kind than the charge needs",
    "denied": "it is denied",
    "pending": "it is not decided",
    "upcoming": "it begins after the service",
    "expired": "it ends before the service",
    "code": "it does not cover the code",
    "exhausted": "nothing is left of it",
    "units_exceeded": "less is left of it than the charge needs",
    "unit_kinds": "the units of the charge do not convert into its own",
    "renewal_unknown": "its limits renew from a day that is not known",
    "granted_quantity_unknown": "it is not known how much was granted",
    "charge_unknown": "it limits an amount, and the charge has none",
    "non_daily_span": "the units cannot be told by the day",
}
"""What is said of an authorization that is not valid for a charge."""


class Attachment(Frozen):
    """A charge, and the authorization that is to be attached to it."""

    charge: Charge
    authorization_id: Identifier
    by: Text | None = Field(default=None, description="For whom it is asked; needs act-for.")
    reason: Text | None = Field(default=None, description="Why, for the audit.")


class Detachment(Frozen):
    """For whom and why a charge is detached."""

    by: Text | None = None
    reason: Text | None = None


class Shortage(TypedDict):
    """A limit that is too short for a charge: what that asks for, and what it would have to be."""

    account: str
    measure: MeasureName
    wanted: str
    amend_to: str


class Holder(TypedDict):
    """A claim, or another charge (`charge:ID`), that holds units of an authorization."""

    claim_id: str
    status: str
    units: str


class Candidate(TypedDict):
    """An authorization of the member, and whether it is valid for the charge."""

    authorization_id: str
    number: str | None
    kind: AuthorizationKind
    version: int
    lines: list[int]
    certification_date: str | None
    valid: bool
    reason: Reason | None
    why: str | None
    remaining: str | None
    balances: list[CandidateBalance]
    short: list[Shortage]
    reverse: list[Holder]


class Held(TypedDict):
    """What is held of an authorization in the name of a charge."""

    authorization_id: str
    number: str | None
    line: int
    units: str


class Attached(TypedDict):
    """What is attached to a charge, or which claims billed it.

    Not ``same``: the charge was changed since. Not ``valid``: the authorization is not for the
    charge any more, as it was withdrawn, ended or lowered.
    """

    status: Literal["attached", "billed"]
    same: bool
    valid: bool
    authorizations: list[Held]
    billed_by: list[str]


class ChargeDetached(TypedDict):
    """What came back."""

    charge_id: str
    changed: bool
    authorizations: list[GivenBack]


class ChargeAnswer(TypedDict):
    """What a charge needs, what is attached to it, and which authorizations are valid for it."""

    charge_id: str
    auth_required: bool
    needed: list[AuthorizationKind]
    row: str | None
    attached: Attached | None
    authorizations: list[Candidate]
    truncated: bool
    rules: dict[str, str]


class AttachAnswer(TypedDict):
    """What was attached: the authorization with its number and balances, now and before."""

    charge_id: str
    auth_required: bool
    replayed: bool
    authorizations: list[UsedAuthorization]
    rules: dict[str, str]


class CannotAttach(Conflict):
    """An authorization that is not valid for a charge: why, what to reverse, what to amend."""

    def __init__(self, candidate: Candidate) -> None:
        """Say it in words; ``candidate`` has the figures."""
        said = f"{candidate['authorization_id']} is not valid for the charge: {candidate['why']}"
        held = {(each["account"], each["measure"]): each for each in candidate["balances"]}
        for each in candidate["short"]:
            found = held[each["account"], each["measure"]]
            said += (
                f"; of {found['granted']} {each['measure']} ({each['account']}) {found['used']} are"
                f" used and {found['reserved']} reserved, and {each['wanted']} are asked for: have"
                f" it amended to {each['amend_to']}"
            )
        if candidate["reverse"]:
            said += (
                f", or reverse one of {', '.join(_shown(each) for each in candidate['reverse'])}"
            )
        super().__init__(said, "authorization_id")
        self.candidate = candidate


def _shown(holder: Holder) -> str:
    return f"{holder['claim_id']} ({holder['units']} {holder['status']})"


async def check(caller: Caller, charge: Charge, *, show_all: bool = False) -> ChargeAnswer:
    """Say what a charge needs, and which authorizations are valid for it, the most left first.

    ``show_all`` adds the others of the member, with the reason. Raises EngineFault, TableFault.
    """
    note(claims=(held_as(charge.charge_id),), members=(charge.member.id,))
    run = _run(caller, charge)
    first, last = charge.from_, charge.to or charge.from_
    days = {"gte": f"{first}", "lte": f"{last}", "relation": "intersects"}
    filters = [] if show_all else [{"range": {"windows": days}}]
    checked = await look(charge, run, caller.parts.claim_stores, *filters)
    valid = [each for each in checked.looked if each.reason is None]
    answers = [_candidate(each) for each in sorted(valid, key=_most_left)]
    if show_all:
        others = [each for each in checked.looked if each.reason is not None]
        answers += [await _with_holders(caller, _candidate(each), charge) for each in others]
        answers += await _gone(caller, charge, {each["authorization_id"] for each in answers})
    note(authorizations=[each["authorization_id"] for each in answers])
    attached = await _attached(caller, charge, checked)
    is_settled = attached is not None and attached["same"] and attached["valid"]
    return {
        "charge_id": charge.charge_id,
        "auth_required": bool(checked.requirement.needed) and not is_settled,
        "needed": list(checked.requirement.needed),
        "row": checked.requirement.row,
        "attached": attached,
        "authorizations": answers,
        "truncated": checked.truncated,
        "rules": {"set": run.rules.name},
    }


async def attach(caller: Caller, asked: Attachment) -> AttachAnswer:
    """Attach an authorization to a charge: all of its units are reserved, or nothing is moved.

    The same again changes nothing; another authorization, or a charge that was changed, takes the
    place of what is attached in one step. Raises CannotAttach, Conflict for one that was billed,
    NotActing, EngineFault, TableFault.
    """
    charge, name = asked.charge, held_as(asked.charge.charge_id)
    note(
        claims=(name,),
        members=(charge.member.id,),
        authorizations=(asked.authorization_id,),
        why=asked.reason,
    )
    run = _run(caller, charge, by=asked.by)
    only = {"term": {"authorization_id": asked.authorization_id}}
    done = None
    for _ in range(_TRIES):  # somebody may be quicker
        checked = await look(charge, run, caller.parts.claim_stores, only)
        chosen = await _chosen(caller, asked, checked)
        selected = [
            each.authorization_id
            for selection in (checked.sent.selections if checked.sent else ())
            for each in selection.authorizations
        ]
        is_same = checked.is_attached(charge) and asked.authorization_id in selected
        if is_same and checked.sent is not None:
            claim = checked.sent
        else:
            selection = selection_of(charge.line, asked.authorization_id, chosen.kind, chosen.lines)
            claim = charge.as_claim(checked.held.version + 1, (selection,))
        claim = claim.model_copy(update={"reason": asked.reason})
        with suppress(Overtaken):
            seen = replace(run, seen=checked.held.sequence)
            done = await adjudicate(claim, seen, caller.parts.claim_stores)
            if done.written:
                break
    if done is None:
        raise Conflict("the charge is being attached, detached or billed by others: try again")
    (line,) = done.answer["lines"]
    if not done.written:
        events = [f"{each['name']} ({each['code']})" for each in line["events"]]
        raise Conflict(f"nothing is attached: {_listed(events)}")
    return {
        "charge_id": charge.charge_id,
        "auth_required": False,
        "replayed": done.replayed,
        "authorizations": line["adjudicated_authorizations"],
        "rules": {"set": run.rules.name},
    }


async def detach(caller: Caller, charge_id: str, asked: Detachment) -> ChargeDetached:
    """Give back what is reserved in the name of a charge; the same again changes nothing.

    Raises NotFound, Conflict for one that was billed, NotActing, EngineFault.
    """
    name = held_as(charge_id)
    note(claims=(name,), why=asked.reason)
    books, actor = caller.stores.accumulators, caller.subject.acting_for(asked.by)
    change = ClaimChange(by=asked.by, reason=asked.reason)
    occasion = occasion_of("detach", now(), actor, asked.reason)
    try:
        held = await books.read_claim(caller.payer, name)
        if held.status == BILLED:
            if billing := await _billing(caller, held):
                raise Conflict(f"the charge was billed by {_listed(billing)}: reverse that claim")
            return {"charge_id": charge_id, "changed": False, "authorizations": []}
        done = await change_claim("release", name, change, caller.payer, books, occasion)
    except UnknownClaim as unknown:
        raise NotFound("nothing was ever attached to this charge") from unknown
    return {
        "charge_id": charge_id,
        "changed": done["changed"],
        "authorizations": done["authorizations"],
    }


def _run(caller: Caller, charge: Charge, by: str | None = None) -> Run:
    rules = caller.parts.rules.judging(caller.payer, charge.as_claim())
    actor = caller.subject.acting_for(by)
    return Run(payer=caller.payer, at=now(), rules=rules, attaching=True, actor=actor)


async def _chosen(caller: Caller, asked: Attachment, checked: Checked) -> Looked:
    """What is to be attached; raises CannotAttach, BadSelection, Conflict."""
    if checked.is_others:
        reason = "this charge was attached for another member: give this one an id of its own"
        raise Conflict(reason, "charge", "charge_id")
    if billing := await _billing(caller, checked.held, checked.found):
        raise Conflict(f"the charge was billed by {_listed(billing)}: reverse that claim first")
    if not checked.requirement.needed:
        reason = "the charge needs no authorization: nothing can be attached"
        raise BadSelection(reason, "charge")
    if not checked.looked:
        reason = "no authorization in force of this member has this id"
        raise BadSelection(reason, "authorization_id")
    (chosen,) = checked.looked
    if chosen.reason is not None:
        raise CannotAttach(await _with_holders(caller, _candidate(chosen), asked.charge))
    return chosen


async def _billing(caller: Caller, held: ClaimState, of: LookedUp | None = None) -> list[str]:
    """The claims that billed a charge and hold something by now; perhaps only those of a person."""
    if not held.billed_by:
        return []
    states = await caller.stores.accumulators.read_claims(caller.payer, held.billed_by)
    return [each.claim_id for each in states if each.is_held and (not of or of.is_of_person(each))]


async def _attached(caller: Caller, charge: Charge, checked: Checked) -> Attached | None:
    if checked.sent is not None:
        numbers = {
            each.candidate.authorization_id: each.candidate.shown_number for each in checked.looked
        }
        return {
            "status": "attached",
            "same": checked.is_attached(charge),
            "valid": checked.is_valid,
            "authorizations": [
                {
                    "authorization_id": each.authorization_id,
                    "number": numbers.get(each.authorization_id),
                    "line": each.authorization_line,
                    "units": written(each.units),
                }
                for each in checked.held.rows
                if not is_counter_book(each.authorization_id)
            ],
            "billed_by": [],
        }
    billing = [] if checked.is_others else await _billing(caller, checked.held, checked.found)
    if not billing:
        return None
    return {
        "status": "billed",
        "same": True,
        "valid": True,
        "authorizations": [],
        "billed_by": billing,
    }


def _most_left(looked: Looked) -> tuple[bool, int, str, str]:
    """Rank what is valid: the most left first, no limit before all (seed 000); then the oldest."""
    left, candidate = looked.remaining, looked.candidate
    certified = candidate.certification_date or "9999"
    return left is not None, -(left or 0), certified, candidate.authorization_id


def _candidate(looked: Looked) -> Candidate:
    candidate, reason = looked.candidate, looked.reason
    remaining, told = looked.remaining, _balances(looked)
    return {
        "authorization_id": candidate.authorization_id,
        "number": candidate.shown_number,
        "kind": (candidate.terms or {}).get("kind", looked.kind),
        "version": candidate.version,
        "lines": list(looked.lines),
        "certification_date": candidate.certification_date,
        "valid": reason is None,
        "reason": reason,
        "why": None if reason is None else WHY.get(reason, reason),
        "remaining": None if remaining is None else written(remaining),
        "balances": [balance for balance, _ in told],
        "short": [short for _, short in told if short is not None],
        "reverse": [],
    }


_MEASURES: Mapping[Measure, MeasureName] = {
    "units": "units",
    "amount": "amount",
    "days": "service_days",
}


def _balances(looked: Looked) -> list[tuple[CandidateBalance, Shortage | None]]:
    """Every limit of what is drawn or tried, before it, and which of them is too short."""
    told: dict[tuple[str, Measure], tuple[CandidateBalance, Shortage | None]] = {}
    asked = looked.wanted
    for each in (each for row in looked.rows for each in row.movements):
        for measure, name in _MEASURES.items():
            before = each.before[measure]
            if before.limit is None or before.remaining is None:
                continue
            write = written_amount if measure == "amount" else written
            balance: CandidateBalance = {
                "account": each.account,
                "measure": name,
                "unit": each.unit if measure == "units" else None,
                "granted": write(before.limit),
                "used": write(before.used),
                "reserved": write(before.reserved),
                "remaining": write(before.remaining),
            }
            wanted = asked.get((each.account, measure), 0)
            is_short = looked.reason is not None and before.remaining < wanted
            short: Shortage = {
                "account": each.account,
                "measure": name,
                "wanted": write(wanted),
                "amend_to": write(before.used + before.reserved + wanted),
            }
            told.setdefault((each.account, measure), (balance, short if is_short else None))
    return list(told.values())


async def _with_holders(caller: Caller, candidate: Candidate, charge: Charge) -> Candidate:
    """Name who else holds units of what is too short, the newest first: what could be reversed."""
    if not candidate["short"]:
        return candidate
    stores, name = caller.stores, candidate["authorization_id"]
    page = await stores.ledger.page(caller.payer, name, MOVED)
    found = dict.fromkeys(each for entry in page.entries for each in claims_in(entry))
    ids = [each for each in found if each != held_as(charge.charge_id)]
    holders: list[Holder] = []
    for state in await stores.accumulators.read_claims(caller.payer, ids):
        units = sum(row.units for row in state.rows if row.authorization_id == name)
        if state.is_held and units:
            claim_id = state.claim_id
            holders.append({"claim_id": claim_id, "status": state.status, "units": written(units)})
    return {**candidate, "reverse": holders[:_HOLDERS_MAX]}


async def _gone(caller: Caller, charge: Charge, known: Container[str]) -> list[Candidate]:
    """Those of the member that are not in force any more."""
    wanted = Filter(member=charge.member.id, standing=False)
    page = await caller.stores.reading.page(caller.payer, wanted, size=_SHOWN_MAX, after=None)
    return [
        {
            "authorization_id": each.source["authorization_id"],
            "number": each.source.get("number"),
            "kind": each.source["kind"],
            "version": each.state["version"],
            "lines": [],
            "certification_date": each.source.get("certification_date"),
            "valid": False,
            "reason": reason,
            "why": WHY[reason],
            "remaining": None,
            "balances": [],
            "short": [],
            "reverse": [],
        }
        for each in page.entries
        if each.source.get("authorization_id") and each.source["authorization_id"] not in known
        for reason in (_why_gone(each.state),)
    ]


def _why_gone(state: Mapping[str, Any]) -> Reason:
    return "void" if state.get("void") else "superseded"


def _listed(claims: Iterable[str]) -> str:
    return ", ".join(claims)
