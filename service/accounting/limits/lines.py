"""Which line of an authorization is which, whatever its place, and where the use of each goes.

A line is known by its own identifier (``code``), else by what it grants. Its number is no name:
a sender may list the same services in another order with every version.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from service.accounting.limits.bounds import RenewalUnknown, bounds_of_line, own_accounts_of
from service.accounting.limits.choice import HEADER, granted_limits, scope_of, window_of
from service.domain import codes
from service.domain.authorization import Authorization, AuthorizationLine
from service.domain.canonical import canonical_form
from service.domain.terms import HowCounted
from service.domain.values import Weekday

_HASH_CHARACTERS = 8
_WEEK: Weekday = "sunday"  # only told apart from other periods, never counted with

_AllMeasures = Mapping[int, list[Any]]
"""How the header and each line count, by number (see ``_measures``)."""


class Untold(Exception):
    """Lines that cannot be told apart: the message says which and why, without any value."""


class KnownLine(NamedTuple):
    """A line as the books know it: its number, and what tells it from others, condensed.

    ``own`` is its own identifier, ``service`` all of what it grants, ``code`` the bare procedure,
    group or revenue code with its tooth, ``rest`` its days and limits, ``periods`` by which periods
    it and its header count. What it does not say is "".
    """

    number: int
    own: str
    service: str
    code: str
    rest: str
    periods: str


def write_lines(lines: Iterable[KnownLine]) -> str:
    """Write lines as the books hold them."""
    return ",".join(":".join(map(str, each)) for each in lines)


def read_lines(written: str) -> tuple[KnownLine, ...]:
    """Read lines that the books hold."""
    each = (line.split(":") for line in written.split(",") if line)
    return tuple(KnownLine(int(number), *rest) for number, *rest in each)


def lines_of(authorization: Authorization) -> tuple[KnownLine, ...]:
    """Tell the lines of a version apart; a header without lines is line 0."""
    return _lines(authorization, _all_measures(authorization))


def how_counted(authorization: Authorization) -> HowCounted:
    """Say how the lines of a version are, and how they are counted.

    The shape says how each line counts: in which unit, in which periods, and by days or not. How
    much is granted, and until when, has no part in it, but where lines of one service are told
    apart by that alone.
    """
    measures = _all_measures(authorization)
    lines = _lines(authorization, measures)
    alike = Counter(each.service for each in lines)
    shape: list[Any] = [measures[HEADER]]
    for each in lines:
        siblings = each if alike[each.service] > 1 else each._replace(rest="")
        shape.append([*siblings, measures[each.number]])
    return HowCounted(_condensed(shape), write_lines(lines))


def _lines(authorization: Authorization, measures: _AllMeasures) -> tuple[KnownLine, ...]:
    numbers = [each.line for each in authorization.lines] or [HEADER]
    return tuple(_known(authorization, number, measures) for number in numbers)


def _known(authorization: Authorization, number: int, measures: _AllMeasures) -> KnownLine:
    scope = scope_of(authorization, number)
    own, service, code = "", {}, {}
    if isinstance(scope, AuthorizationLine):
        own = scope.code or ""
        service, code = _service(scope), _code(scope)
    place = scope.place_of_service or authorization.place_of_service
    if place:
        service["place"] = codes.place_of_service(place)
    window, limits = window_of(authorization, number), granted_limits(authorization, number)
    rest = [window and [window.from_, window.to], canonical_form(limits)]
    return KnownLine(
        number,
        _condensed(own) if own else "",
        _condensed(service) if service else "",
        _condensed(code) if code else "",
        _condensed(rest),
        _condensed([_periods(measures[each]) for each in (HEADER, number)]),
    )


def _code(line: AuthorizationLine) -> dict[str, Any]:
    """The procedure, or group of procedures, else the revenue code; with the tooth."""
    found: dict[str, Any] = {}
    procedure = line.procedure
    if procedure and procedure.from_:
        first = codes.bare(procedure.from_)
        found["procedure"] = [first, codes.bare(procedure.to) if procedure.to else first]
    elif procedure and procedure.group:
        found["group"] = procedure.group
    if line.revenue_code:
        found["revenue"] = codes.revenue_code(line.revenue_code)
    if line.tooth:
        found["tooth"] = codes.tooth(line.tooth)
    if not found:
        services = [line.service_type, *line.service_types]
        found["services"] = sorted({codes.bare(each) for each in services if each})
    return found


def _service(line: AuthorizationLine) -> dict[str, Any]:
    """All of what a line grants: its code, modifiers, surfaces, parts of the mouth."""
    found = _code(line)
    lists: Mapping[str, tuple[Iterable[str], Callable[[str], str]]] = {
        "modifiers": (line.modifiers, codes.bare),
        "surfaces": (line.surfaces, codes.bare),
        "cavity": (line.oral_cavity, codes.oral_cavity),
    }
    for name, (values, write) in lists.items():
        if values:
            found[name] = sorted(map(write, values))
    return found


def _all_measures(authorization: Authorization) -> _AllMeasures:
    numbers = (HEADER, *(each.line for each in authorization.lines))
    return {each: _measures(authorization, each) for each in numbers}


def _measures(authorization: Authorization, number: int) -> list[Any]:
    """How a header or line counts: each of its bases with its unit, its days and its periods."""
    try:
        accounts = own_accounts_of(authorization, number, _WEEK)
    except RenewalUnknown:
        bounds = bounds_of_line(authorization, number)
        return [[base, each.unit, each.days is not None, None] for base, each in bounds.items()]
    return [
        [each.base, each.bounds.unit, each.bounds.days is not None, str(each.periods)]
        for each in accounts
    ]


def _periods(measures: Iterable[Any]) -> list[Any]:
    """The kinds of periods in which a header or line counts, whatever its number."""
    return [[base.lstrip("HL0123456789"), periods] for base, _, _, periods in measures]


def _condensed(value: Any) -> str:
    written = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest()[:_HASH_CHARACTERS]


def follow(
    old: Sequence[KnownLine], new: Sequence[KnownLine], drawn: Collection[int]
) -> dict[int, tuple[int, ...]]:
    """Say for lines of the books which lines of a version they are now, by number.

    Several: lines of the same service, told apart by the days of what was drawn. None: the service
    is not there; a line that names more or less may hold it. Raises Untold where that is not clear
    of a line that was ``drawn``.
    """
    following = _Following(old, new)
    following.by_own_identifier(drawn)
    following.by_all_that_is_said()
    following.by("service")
    following.by("code")
    return {each.number: following.found.get(each.number, ()) for each in old}


class _Following:
    """Old lines for which no new one was found yet, and new ones that are nobody's."""

    def __init__(self, old: Sequence[KnownLine], new: Sequence[KnownLine]) -> None:
        self.old = list(old)
        self.new = list(new)
        self.found: dict[int, tuple[int, ...]] = {}

    def by_own_identifier(self, drawn: Collection[int]) -> None:
        """Find lines by the identifier that only one of each version has.

        Where it changed places with the service of another line, neither can be believed.
        """
        before, after = _once(self.old, "own"), _once(self.new, "own")
        for own in [each for each in before if each in after]:
            line, now = before[own], after[own]
            others = {each.code for name, each in after.items() if name != own and name in before}
            if line.number in drawn and line.code != now.code and line.code in others:
                raise Untold(
                    f"line {now.number} has the identifier of one line and the service of none"
                )
            self._take([line], [now])

    def by_all_that_is_said(self) -> None:
        """Find lines that did not change, days and limits included; of equal ones any."""
        for line in tuple(self.old):
            alike = [each for each in self.new if each[2:5] == line[2:5]]
            if alike:
                self._take([line], [min(alike, key=lambda each: each.number != line.number)])

    def by(self, name: str) -> None:
        """Find lines of one service, or with one code, several together."""
        for value in dict.fromkeys(getattr(each, name) for each in self.old):
            before = [each for each in self.old if getattr(each, name) == value]
            after = [each for each in self.new if getattr(each, name) == value]
            if after:
                self._take(before, after)

    def _take(self, before: Sequence[KnownLine], after: Sequence[KnownLine]) -> None:
        for each in before:
            self.found[each.number] = tuple(one.number for one in after)
        self.old = [each for each in self.old if each not in before]
        self.new = [each for each in self.new if each not in after]


def _once(lines: Iterable[KnownLine], name: str) -> dict[str, KnownLine]:
    """The lines by what only one of them says."""
    values = Counter(getattr(each, name) for each in lines)
    return {
        getattr(each, name): each
        for each in lines
        if getattr(each, name) and values[getattr(each, name)] == 1
    }
