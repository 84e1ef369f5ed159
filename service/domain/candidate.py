"""A candidate: an authorization that a search returned, with the values of its lines."""

from dataclasses import dataclass, field

from service.domain.effective import LineValues


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What the scorer needs of a stored authorization.

    ``number`` is normalised, ``shown_number`` as it was pushed. ``raw_matched`` names the raw
    levels that Elasticsearch found true, as ``criterion.level``; ``engine_score`` is ``_score`` of
    a scored search; ``relaxed`` is the step that found it.
    """

    authorization_id: str
    version: int
    number: str | None
    shown_number: str | None
    certification_date: str | None
    starts_on: str | None
    lines: tuple[LineValues, ...]
    numbers: tuple[str, ...] = ()
    raw_matched: frozenset[str] = frozenset()
    engine_score: float | None = None
    relaxed: str | None = None
    sort: tuple[object, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search returned, and how many there are in all (counted to just past the limit)."""

    candidates: tuple[Candidate, ...]
    total: int
