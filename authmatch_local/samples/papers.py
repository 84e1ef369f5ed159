"""The common shape of the authorizations: what every paper of a sender says, and what some say."""

from random import Random
from typing import Any

from authmatch_local.samples.days import Days
from authmatch_local.samples.numbers import number_of

Json = dict[str, Any]

_REVIEWERS = ("RN-14", "RN-22", "MD-03", "MD-07", "AUTO")
_REASONS = {"A3": ["0V"], "A4": ["0U"], "A6": ["23"], "CT": ["0L"], "C": ["0T"]}
_STATUSES = {"A3": "denied", "A4": "pended", "CT": "pended", "C": "cancelled"}
_REGIONS = ("TX", "NM", "OK", "LA")
_CERTIFICATION_TYPES = ("I", "I", "I", "R", "S", "4")
_URGENCIES = ("E", "E", "E", "U", "03")


def authorization_id(ordinal: int) -> str:
    """The id of an authorization by its place in the whole."""
    return f"A{ordinal:09d}"


def decision(action: str | None, day: str, rng: Random) -> Json:
    """Write a decision; without an action it is not known yet."""
    if action is None:
        return {"action": None, "reasons": []}
    return {
        "action": action,
        "reasons": _REASONS.get(action, []),
        "decided_at": f"{day}T15:04:00Z",
        "reviewer": _REVIEWERS[int(rng.random() * len(_REVIEWERS))],
    }


def status(action: str | None) -> str:
    """Name the status that goes with a decision."""
    return _STATUSES.get(action, "approved") if action else "entry"


def paper(
    ordinal: int, member: Json, days: Days, *, issued: int, action: str | None, rng: Random
) -> Json:
    """Write what all authorizations share; scope, lines and limits are the caller's."""
    day = days[issued]
    return {
        "authorization_id": authorization_id(ordinal),
        "version": 1,
        "kind": "authorization",
        "setting": "professional",
        "number": number_of(ordinal),
        "decision": decision(action, day, rng),
        "status": status(action),
        "certification_type": _CERTIFICATION_TYPES[int(rng.random() * 6)],
        "urgency": _URGENCIES[int(rng.random() * 5)],
        "certification_date": day,
        "member": member,
        "lines": [],
        "source": {"system": "um-core", "event_time": f"{day}T15:04:05Z"},
    }


def limits(units: int, unit: str, price: int, roll: float) -> Json | None:
    """Write granted limits of many kinds; some authorizations have none."""
    granted: Json = {"units": str(units), "unit": unit}
    if roll < 0.08:
        return None
    if roll < 0.20:
        granted["amount"] = f"{units * price}.00"
    elif roll < 0.32:
        granted["per"] = {"count": "3", "period": "week", "span": 2, "span_unit": "month"}
    elif roll < 0.38:
        granted["renewal"] = {"reference": "effective.from", "period": 1, "unit": "month"}
    elif roll < 0.42:
        granted["service_days"] = str(units)
    return granted


def decorate(paper: Json, issued: str, roll: float) -> None:
    """Add what only some papers carry: attached data, notes, history, references."""
    if roll < 0.25:
        paper["attached"] = {
            "region": _REGIONS[int(roll * 1000) % 4],
            "case_manager": "on" if roll < 0.1 else "off",
            "risk_level": int(roll * 40),
            "intake_channel": "portal",
        }
    if 0.15 < roll < 0.35:
        paper["status_history"] = [
            {"status": "entry", "reached_at": f"{issued}T08:00:00Z"},
            {"status": "pended", "reached_at": f"{issued}T09:30:00Z"},
            {"status": paper["status"], "reached_at": f"{issued}T15:04:00Z"},
        ]
        paper["pend_history"] = [
            {"reason": "clinical", "process_step": "review", "resolved_by": "RN-14"}
        ]
    if 0.30 < roll < 0.45:
        paper["notes"] = [
            {"note_id": "N1", "text": "Plan of care received.", "written_by": "RN-14"}
        ]
    if roll > 0.85:
        paper["administrative_reference"] = f"TRK-{paper['authorization_id'][1:]}"
        paper["requester_reference"] = f"REQ-{paper['authorization_id'][1:]}"
