"""When two authorizations of a person grant the same: services and days that both may cover.

Two values tell services apart where both give one and they have nothing in common. What is not
given tells nothing: it restricts nothing either.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from service.domain import codes
from service.domain.authorization import GRANTING_ACTIONS, Authorization
from service.domain.effective import LineValues, effective_action
from service.domain.grant_identity import CHANGING, is_change

_TOLD_BY = (
    "member.birth_date",
    "modifiers_significant",
    "revenue_code",
    "tooth",
    "surfaces",
    "oral_cavity",
    "days_of_week",
)
_SERVICE = ("procedure.from", "procedure.to", "procedure.shape", "procedure.group")
_WIDE = ("setting", "service_type")
_PROVIDERS = ("servicing_provider.npi", "servicing_provider.tin", "facility.npi", "facility.tin")
_COMPARED = ("effective", *_TOLD_BY, *_SERVICE, *_WIDE, *_PROVIDERS)

Lines = Sequence[Mapping[str, Any]]
"""Effective lines, or what of them is compared."""


def compared_lines(lines: Iterable[LineValues]) -> tuple[LineValues, ...]:
    """What of effective lines tells whether another authorization grants the same."""
    return tuple({name: each[name] for name in _COMPARED if name in each} for each in lines)


def claimed_numbers(authorization: Authorization) -> tuple[str, ...]:
    """The normalised numbers by which it is known, so that no other grant may be by the same.

    What is void has none; nor has what asks to change a grant and is not granted (UM02 R, S, 4, 1,
    2, N, 3), and a number that it had before is that of another one.
    """
    if authorization.is_void or is_change(authorization.authorization_id):
        return ()
    if authorization.certification_type in CHANGING and not is_granted(authorization):
        return ()
    scopes = (authorization, *authorization.lines)
    numbers = [each.number for each in scopes if each.number]
    numbers += [number for each in scopes for number in each.other_numbers]
    return tuple(sorted(set(map(codes.authorization_number, numbers))))


def is_granted(authorization: Authorization) -> bool:
    """Whether anything was certified, of the whole or of a line."""
    if authorization.is_void:
        return False
    scopes = authorization.lines or (authorization,)
    return any(effective_action(each, authorization) in GRANTING_ACTIONS for each in scopes)


def do_overlap(lines: Lines, others: Lines) -> bool:
    """Whether any service may be given on any day under both."""
    return any(
        _share_days(one, other) and _may_be_one_service(one, other)
        for one in lines
        for other in others
    )


def do_overlap_by_provider(lines: Lines, others: Lines) -> bool:
    """Whether that is so for a service that both have the same provider give."""
    return any(
        _share_days(one, other)
        and _may_be_one_service(one, other)
        and not _are_disjoint(_providers(one), _providers(other))
        for one in lines
        for other in others
    )


def _share_days(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _begins_in(one["effective"], other["effective"]) and _begins_in(
        other["effective"], one["effective"]
    )


def _begins_in(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether one begins before another ends; an end that is not there is open."""
    first, last = one.get("first"), other.get("last")
    return first is None or last is None or first <= last


def _may_be_one_service(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    is_named, is_other_named = _names_procedure(one), _names_procedure(other)
    if is_named and is_other_named:
        may_be = _may_be_one_procedure(one, other)
    else:
        # A line without a procedure is for any of its setting, or of its type of service.
        wide = _WIDE if is_named == is_other_named else _WIDE[:1]
        may_be = not any(_are_told_apart(one, other, by=each) for each in wide)
    return may_be and not any(_are_told_apart(one, other, by=each) for each in _TOLD_BY)


def _names_procedure(line: Mapping[str, Any]) -> bool:
    return "procedure.from" in line or "procedure.group" in line


def _may_be_one_procedure(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    group, other_group = one.get("procedure.group"), other.get("procedure.group")
    if group or other_group:  # which codes a group has is not asked: it may be one of them
        return group == other_group or not (group and other_group)
    if one["procedure.shape"] != other["procedure.shape"]:
        return False
    first = max(one["procedure.from"], other["procedure.from"])
    return bool(first <= min(one["procedure.to"], other["procedure.to"]))


def _are_told_apart(one: Mapping[str, Any], other: Mapping[str, Any], *, by: str) -> bool:
    mine, theirs = one.get(by), other.get(by)
    if mine is None or theirs is None or mine == theirs:  # most are
        return False
    return _are_disjoint(_values(mine), _values(theirs))


def _providers(line: Mapping[str, Any]) -> set[str]:
    return set().union(*(_values(line[each]) for each in _PROVIDERS if each in line))


def _values(value: str | Iterable[str]) -> set[str]:
    return {value} if isinstance(value, str) else set(value)


def _are_disjoint(some: set[str], others: set[str]) -> bool:
    return bool(some) and bool(others) and some.isdisjoint(others)
