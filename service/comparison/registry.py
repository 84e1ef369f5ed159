"""Every comparison by the name that a template writes.

A new one is a module with a ``Comparison`` in it: list it here, or let another distribution offer
it under the entry point group ``authmatch.comparisons``.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

from service.comparison import _codes, _dates, ranges
from service.comparison.comparison import Comparison

ENTRY_POINTS = "authmatch.comparisons"

BUILT_IN = (
    _codes.EQUAL,
    _codes.ANY_OF,
    _codes.ANY_OF_PREFIX,
    _codes.SUBSET,
    _codes.WITHIN,
    _dates.INSIDE,
    _dates.OVERLAPS,
    _dates.WINDOW,
    _dates.NEAR,
    ranges.IN_RANGE,
    _codes.IN_GROUP,
    _codes.SAME_GROUP,
    _codes.BELOW,
    _codes.ABOVE,
)


@cache
def comparisons() -> Mapping[str, Comparison]:
    """All comparisons, our own and those of other distributions, by name.

    Raises TypeError or ValueError where another distribution offers what cannot be taken.
    """
    known = {each.name: each for each in BUILT_IN}
    for point in entry_points(group=ENTRY_POINTS):
        offered = point.load()
        if not isinstance(offered, Comparison):
            raise TypeError(f"{point.value} offers no Comparison under {ENTRY_POINTS}")
        if offered.name in known:
            raise ValueError(f"{point.value} offers the comparison {offered.name} a second time")
        known[offered.name] = offered
    return known
