"""Where the authorization numbers of a claim stand in an 837, and what must change of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from service.domain.claim_numbers import (
    QUALIFIERS,
    Numbers,
    PlacedKind,
    Placement,
    is_kept,
)
from service.ingest.x12.claim.rows import is_of_another
from service.ingest.x12.wire.loops import Loop
from service.ingest.x12.wire.results import ClaimRead
from service.ingest.x12.wire.rewriting import Edit
from service.ingest.x12.wire.segment import Delimiters, Segment

_KINDS: Mapping[str, PlacedKind] = {code: kind for kind, code in QUALIFIERS.items()}
_BEFORE: Mapping[str, frozenset[str]] = {
    "2300": frozenset(("DTP", "CL1", "DN1", "DN2", "PWK", "CN1", "AMT", "REF")),
    "2400": frozenset(
        [f"SV{each}" for each in (1, 2, 3, 5)]
        + ["TOO", "PWK", "CR1", "CR3", "CR5", "CRC", "DTP", "QTY", "MEA", "CN1", "REF"]
    ),
}
"""What may stand before a REF, in X222, X223 and X224."""


REF02_MAX = 50
"""Characters of a REF02 (X222, X223, X224)."""


class Place(NamedTuple):
    """A loop: the segment behind which a number may be written, and the numbers that it has."""

    behind: int
    numbers: Sequence[tuple[int, PlacedKind, str]]


class Places(NamedTuple):
    """The places of a claim and of its lines; segments by their number in the file."""

    claim: Place
    lines: Mapping[int, Place]
    delimiters: Delimiters

    def can_hold(self, number: str) -> bool:
        """Whether REF02 can hold a number: up to 50 characters, ASCII, and no separator."""
        is_plain = number.isascii() and number.isprintable() and len(number) <= REF02_MAX
        return is_plain and set(number).isdisjoint(self.delimiters)


def places_of(item: ClaimRead) -> Places | None:
    """The places of a claim that was read."""
    loop = item.excerpt.unit
    if not isinstance(loop, Loop):
        return None
    lines = zip(item.document["lines"], loop.within("2400"), strict=True)
    return Places(
        claim=_place(loop, item.payer_id),
        lines={line["line"]: _place(each, item.payer_id) for line, each in lines},
        delimiters=loop.segments[0].delimiters,
    )


def _place(loop: Loop, payer_id: str | None) -> Place:
    behind = loop.segments[0].ordinal
    for segment in loop.segments[1:]:
        if segment.ordinal != behind + 1 or segment.id not in _BEFORE[loop.name]:
            break
        behind = segment.ordinal
    return Place(behind, tuple(_numbers(loop.all("REF"), payer_id)))


def _numbers(
    segments: Iterable[Segment], payer_id: str | None
) -> Iterable[tuple[int, PlacedKind, str]]:
    for each in segments:
        kind = _KINDS.get(each.get(1))
        if kind is not None and not is_of_another(payer_id, each):
            yield each.ordinal, kind, each.get(2)


def edits_of(places: Places, placement: Placement) -> dict[int, Edit]:
    """What changes in the file, by the number of the segment; what stays as it is has no edit."""
    edits = dict(_edits(places.claim, placement.of_claim))
    for line, numbers in placement.of_lines.items():
        edits |= _edits(places.lines[line], numbers)
    return edits


def _edits(place: Place, wanted: Numbers) -> dict[int, Edit]:
    edits: dict[int, Edit] = {}
    standing: set[PlacedKind] = set()
    for ordinal, kind, number in place.numbers:
        if kind not in wanted:
            continue
        if kind not in standing and is_kept(number, wanted[kind]):
            standing.add(kind)
        else:
            edits[ordinal] = Edit(is_dropped=True)
    added = tuple(
        ("REF", code, written)
        for code, kind in _KINDS.items()
        if kind not in standing and (written := wanted.get(kind)) is not None
    )
    if added:
        edits[place.behind] = edits.get(place.behind, Edit())._replace(added=added)
    return edits
