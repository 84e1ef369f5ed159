"""Answers of the service in the words of the case files; quantities stand as they are shown."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

Answer = Mapping[str, Any]
Told = dict[str, Any]


def tell_line(line: Answer) -> Told:
    """A line of an adjudicated claim."""
    used, benefit = line["adjudicated_authorizations"], line["benefit"] or {}
    results = line["results"]
    return {
        "line": line["line"],
        "disposition": line["disposition"],
        **{name: line[name]["units"] for name in ("approved", "denied", "suspended")},
        **{f"{name}_amount": line[name]["amount"] for name in ("approved", "denied", "suspended")},
        "adjustments": list(map(_adjustment, line["adjustments"])),
        "events": sorted(each["code"] for each in line["events"]),
        "about": _about(line["events"]),
        "severities": {each["code"]: each["severity"] for each in line["events"]},
        "resolved": sorted(each["code"] for each in line["resolved_events"]),
        "actions": line["actions"],
        "overrides_benefit": benefit.get("override"),
        "limits_kept": [each["carc"] for each in benefit.get("limit_adjustments", ())],
        "limits_removed": [each["carc"] for each in benefit.get("removed_limit_adjustments", ())],
        "used": [f"{each['authorization_id']} {each['units']}" for each in used],
        "used_lines": [f"{each['authorization_id']}/{each['line']}" for each in used],
        "used_amounts": [each["amount"] for each in used],
        "tried": list(map(_tried, line["tried_authorizations"])),
        "origins": [each["origin"] for each in used],
        "flags": [each["flags"] for each in used],
        "prices": [each["unit_price"] for each in used],
        "class": results[0]["class"] if results else None,
        "chosen": results[0]["chosen"] if results else None,
        "candidates": _ids(results[0]["candidates"]) if results else None,
    }


def tell_answer(answer: Answer) -> Told:
    """What an answer says of the claim as a whole."""
    changed = answer.get("changed", {})
    return {
        "status": answer["status"],
        "replayed": answer["replayed"],
        "dry_run": answer["dry_run"],
        "returned": [
            f"{each['of']} {each['authorization_id']} {each['units']}"
            for each in answer.get("returned", ())
        ],
        "changed_rules": list(changed.get("rules", ())),
        "changed_lines": [each["line"] for each in changed.get("lines", ())],
        "changed_since": changed.get("since_version"),
    }


def tell_change(answer: Answer) -> Told:
    """What a step of a claim's life answers."""
    return {
        "status": answer["status"],
        "changed": answer["changed"],
        "held": {each["line"]: each["held"] for each in answer["lines"]},
        "given_back": {
            each["authorization_id"]: f"{each['units_before']} to {each['units']}"
            for each in answer["authorizations"]
        },
    }


def tell_accounts(accounts: Iterable[Answer]) -> Told:
    """The boundaries of an authorization: units by the name of the account, amount and days too."""
    told: Told = {}
    for each in accounts:
        name = each["account"]
        told[name] = _balance(each["units"])
        told[f"{name} amount"] = _balance(each["amount"])
        told[f"{name} days"] = _balance(each["service_days"])
        told[f"{name} ended"] = each["ended_on"] is not None
        told[f"{name} exhausted"] = each["exhausted"]
        told[f"{name} over"] = each["over"]
    return told


def tell_related(claims: Iterable[Answer]) -> list[str]:
    """The claims of an authorization, newest first, with the units that they hold of it."""
    told = []
    for each in claims:
        words = [f"{each['claim_id']} {each['status']}"]
        if each["drawn"]:
            drawn = [Decimal(used["units"]) for line in each["lines"] for used in line["used"]]
            words.append(f"drawn {sum(drawn)}")
        if each["needs_review"]:
            words.append("needs review")
        told.append(", ".join(words))
    return told


def tell_benefit(lines: Iterable[Answer]) -> list[Told]:
    """What is said of benefit limits after a claim was adjudicated."""
    return [
        {
            "line": each["line"],
            "actions": each["actions"],
            "limits_kept": [one["carc"] for one in each["limit_adjustments"]],
            "limits_removed": [one["carc"] for one in each["removed_limit_adjustments"]],
        }
        for each in lines
    ]


def _adjustment(one: Answer) -> str:
    remarks = "".join(f" {each}" for each in one["remarks"])
    return f"{one['group']} {one['carc']}{remarks}: {one['units']} units, {one['amount']}"


def _tried(one: Answer) -> str:
    """What gave nothing, and what its boundaries had left before and after."""
    left = [
        f"{each['account']} {each['units'][when]['remaining']} of {each['units']['limit']}"
        for each in one["accounts"]
        for when in ("before", "after")
        if each["units"]["limit"] is not None
    ]
    return ", ".join([one["authorization_id"], *dict.fromkeys(left)])


def _about(events: Iterable[Answer]) -> dict[str, str]:
    return {each["code"]: each["authorization_id"] for each in events if "authorization_id" in each}


def _ids(candidates: Iterable[Answer]) -> list[str]:
    return [each["authorization_id"] for each in candidates]


def _balance(one: Answer) -> str:
    words = [f"{one['used']} used"]
    if one["reserved"] not in ("0", "0.00"):
        words.append(f"{one['reserved']} reserved")
    words.append(
        "no limit" if one["limit"] is None else f"{one['remaining']} left of {one['limit']}"
    )
    return ", ".join(words)
