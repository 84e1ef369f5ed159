"""What an extension adds to the authorization that stands (UM02 4; PAS certification type 4).

The state in force is made of versions in their order, from the last one that replaces: so it is the
same, whatever came first.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import orjson

from service.domain.authorization import (
    AUTHORIZATION_LINES_MAX,
    GRANTING_ACTIONS,
    Authorization,
    AuthorizationLine,
    Decision,
    Limits,
    Scope,
)
from service.domain.canonical import canonical_form
from service.domain.effective import effective_action
from service.domain.values import Frozen

T = TypeVar("T", bound=Frozen)

EXTENSION = "4"

_MEASURES = ("units", "amount", "service_days")
_NOT_INHERITED = frozenset({"decision", "limits", "attached"})
_OF_A_MESSAGE = frozenset({"version", "source", "received_at", "decision_extended_to"})
_SERVICE = (
    "procedure",
    "modifiers",
    "revenue_code",
    "tooth",
    "surfaces",
    "oral_cavity",
)
_LISTS = ("trace_numbers", "previous_numbers", "other_numbers")


class CannotBeAdded(ValueError):
    """An extension of which it is not clear what it adds: the message says why."""


def is_extension(authorization: Authorization) -> bool:
    """Whether a version adds to what stands, as its header says, or else all of its lines."""
    if authorization.certification_type is not None:
        return authorization.certification_type == EXTENSION
    lines = authorization.lines
    return bool(lines) and all(each.certification_type == EXTENSION for each in lines)


def state_of(versions: Sequence[Authorization]) -> Authorization:
    """The state that versions make, oldest first; those after the first are extensions.

    One that says again what another one said, or answers the same request (TRN02), takes its place.
    Raises CannotBeAdded.
    """
    last = {_said_by(each): each for each in versions[1:]}
    state = versions[0]
    if is_extension(state):
        state = last.pop(_said_by(state), state)
    for each in sorted(last.values(), key=lambda each: each.version):
        state = _extended(state, each)
    return _changed(state, version=versions[-1].version)


def _said_by(extension: Authorization) -> object:
    """What tells an extension from others: the request that it answers, else all that it says."""
    if extension.trace_numbers:
        return tuple(sorted(extension.trace_numbers))
    form = canonical_form(extension)
    return orjson.dumps(
        {name: value for name, value in form.items() if name not in _OF_A_MESSAGE},
        option=orjson.OPT_SORT_KEYS,
    )


def _extended(state: Authorization, extension: Authorization) -> Authorization:
    """Add an extension: more of a line of the same days and services, else a further line."""
    state = _with_lines(state)
    added = [_line(each, extension) for each in _with_lines(extension).lines]
    if extension.lines and extension.limits:
        if len(added) > 1:
            raise CannotBeAdded("the lines of an extension share one limit")
        added = [_changed(added[0], limits=added[0].limits or extension.limits)]
    lines = list(state.lines)
    for each in added:
        alike = [n for n, line in enumerate(lines) if _is_of_same_days(line, each, state)]
        more = [n for n in alike if _has_same_measure(lines[n], each, state)]
        open_ = [n for n in alike if effective_action(lines[n], state) not in GRANTING_ACTIONS]
        if more:
            limits = _sum(lines[more[0]].limits or Limits(), each.limits or Limits())
            lines[more[0]] = _changed(lines[more[0]], limits=limits)
        elif open_:  # it is decided now
            lines[open_[0]] = _changed(each, line=lines[open_[0]].line)
        else:
            number = max((line.line for line in lines), default=0) + 1
            lines.append(_changed(each, line=number))
    if len(lines) > AUTHORIZATION_LINES_MAX:
        raise CannotBeAdded("with its lines the authorization has too many")
    told = {name: _joined(getattr(state, name), getattr(extension, name)) for name in _LISTS}
    return _changed(
        state,
        version=extension.version,
        member=extension.member,
        source=extension.source,
        lines=tuple(lines),
        limits=_header_limits(state, added),
        **told,
    )


def _with_lines(authorization: Authorization) -> Authorization:
    """Write a header without lines as one with a line, which has its limits."""
    if authorization.lines:
        return authorization
    line = AuthorizationLine(line=1, limits=authorization.limits)
    return _changed(authorization, lines=(line,), limits=None)


def _line(line: AuthorizationLine, header: Authorization) -> AuthorizationLine:
    """Write a line of an extension with all that it has of its header."""
    inherited: dict[str, Any] = {
        name: getattr(header, name)
        for name in Scope.model_fields
        if name not in _NOT_INHERITED and getattr(header, name) and not getattr(line, name)
    }
    attached = {**header.attached, **line.attached}
    said = line.decision or header.decision or Decision()
    decision = _changed(said, action=effective_action(line, header))
    return _changed(line, **inherited, attached=attached, decision=decision)


def _is_of_same_days(
    line: AuthorizationLine, added: AuthorizationLine, header: Authorization
) -> bool:
    days = line.effective or header.effective
    is_same = all(getattr(line, name) == getattr(added, name) for name in _SERVICE)
    return is_same and days is not None and days == added.effective


def _has_same_measure(
    line: AuthorizationLine, added: AuthorizationLine, header: Authorization
) -> bool:
    """Whether both are decided alike, and limited in the same measure: then limits add up."""
    if effective_action(line, header) != effective_action(added, header):
        return False
    if line.limits is None or added.limits is None:
        return False
    return _measure(line.limits) == _measure(added.limits)


def _measure(limits: Limits) -> tuple[object, ...]:
    given = tuple(getattr(limits, name) is not None for name in _MEASURES)
    return limits.unit, limits.currency, limits.renewal, limits.per, given


def _sum(limits: Limits, added: Limits) -> Limits:
    sums = {
        name: getattr(limits, name) + getattr(added, name)
        for name in _MEASURES
        if getattr(limits, name) is not None and getattr(added, name) is not None
    }
    return _changed(limits, **sums)


def _header_limits(state: Authorization, added: Iterable[AuthorizationLine]) -> Limits | None:
    """Raise what a header grants to all of its lines by what the added ones may use."""
    limits = state.limits
    for line in added:
        if limits is None:
            return None
        more = line.limits or Limits()
        if any(
            getattr(limits, name) is not None and getattr(more, name) is None for name in _MEASURES
        ) or (limits.units is not None and more.unit != limits.unit):
            raise CannotBeAdded("what it adds to the limit of the whole authorization is not said")
        limits = _sum(limits, more)
    return limits


def _joined(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _changed(value: T, **fields: object) -> T:
    """Give a frozen value with some fields changed, and these counted as given."""
    return value.model_copy(update=fields)
