"""Studies for the tests: claims and authorizations of which it is known how they agree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.domain.person import Person
from service.flow.matching.counting import Counting
from service.flow.matching.match import match_claim
from service.rules.book import RuleBook
from service.rules.rule_set import RuleSet
from service.rules.texts import load_texts, read_folder
from service.tuning.columns import KINDS
from service.tuning.judging import run, verdict_of
from service.tuning.report import Asked, make_report
from service.tuning.study import StudyClaim, reach_of
from tests.builders import QUERIES, build_authorization, build_candidate, build_claim

Json = dict[str, Any]
Outcomes = dict[int, tuple[object, ...]]

DAYS = 30


@cache
def shipped_texts() -> Mapping[str, str]:
    """The rules as they are shipped."""
    return read_folder(QUERIES)


@cache
def book_of(*edits: tuple[str, str, str]) -> RuleBook:
    """The shipped rules with texts of files replaced."""
    return load_texts(edited(*edits)).book


def edited(*edits: tuple[str, str, str]) -> dict[str, str]:
    """The shipped texts with something replaced, which must be there."""
    texts = dict(shipped_texts())
    for file, old, new in edits:
        assert old in texts.get(file, "") or not old, f"{file} has no {old}"
        texts[file] = texts[file].replace(old, new) if old else new
    return texts


def frozen(claim: Claim, *authorizations: Authorization, days: int = DAYS) -> StudyClaim:
    """A claim of a study with these authorizations of its member."""
    candidates = (
        replace(build_candidate(each), terms={"member": {"id": each.member.id}})
        for each in authorizations
    )
    first, last = reach = reach_of(claim, days)
    reached = (
        each
        for each in candidates
        if any(
            line["effective"].get("first", "") <= last
            and line["effective"].get("last", "9999") >= first
            for line in each.lines
        )
    )
    person = Person.of(claim.member.id)
    return StudyClaim(claim=claim, person=person, candidates=tuple(reached), reach=reach)


def live_outcomes(claims: Iterable[StudyClaim], book: RuleBook) -> Outcomes:
    """How a match of each claim comes out, by the place of the question in a study of them."""
    found: Outcomes = {}
    first = 0
    for each in claims:
        counted = Counting.of(each.claim, book).with_held(each.held)
        matched = run(match_claim(each.claim, "demo", rules=book, source=each, counted=counted))
        at = {line.line: first + place for place, line in enumerate(each.claim.lines)}
        for search in matched.searches:
            place = at[search.line.line] * len(KINDS) + KINDS.index(search.kind)
            found[place] = verdict_of(search).outcome
        first += len(each.claim.lines)
    return found


def report_of(claims: Sequence[StudyClaim], after: Mapping[str, str], **more: Any) -> Json:
    """The report of a draft against the shipped rules."""
    return make_report(
        Asked(
            study={"id": "0" * 16, "name": "made up", "hashes": {}},
            claims=claims,
            before=RuleSet(shipped_texts()),
            after=RuleSet(after),
            **more,
        )
    )


def _pair(name: str, number: int, *, query: str, claim: Json, grants: Sequence[Json]) -> StudyClaim:
    name = name.replace(" ", "-")
    member = {"id": f"M-{name}-{number}"}
    given: Json = {"claim_id": f"{name}.{number}", "member": member}
    line: Json = {"charge": "100.00", **claim.get("line", {})}
    made = build_claim(query, **{**claim, **given, "line": line})
    return frozen(
        made,
        *(
            build_authorization(
                query, **{"authorization_id": f"{name}-{number}-{at}", "member": member, **grant}
            )
            for at, grant in enumerate(grants)
        ),
    )


_TIN = {"npi": "1588888887", "tin": "741234567"}
_AUTHORIZED = {"benefit": {"requested_type": "authorization"}}

CASES: Mapping[str, tuple[int, Json]] = {
    # professional: full points are procedure 30, dates 20, provider 20, number 10, modifiers 8,
    # place 7, diagnosis 5
    "agrees": (4, {"grants": [{}]}),
    "late 3 days": (3, {"claim": {"line": {"from": "2026-06-03"}}, "grants": [{}]}),
    "late 20 days": (2, {"claim": {"line": {"from": "2026-06-20"}}, "grants": [{}]}),
    "early 5 days": (2, {"claim": {"line": {"from": "2026-02-24"}}, "grants": [{}]}),
    "same TIN": (3, {"claim": {"rendering_provider": _TIN}, "grants": [{}]}),
    "group of codes": (2, {"grants": [{"line": {"procedure": {"group": "therapy"}}}]}),
    "another code": (2, {"claim": {"line": {"procedure": "98940"} | _AUTHORIZED}, "grants": [{}]}),
    "another place": (2, {"claim": {"place_of_service": "12"}, "grants": [{}]}),
    "another diagnosis": (2, {"claim": {"diagnoses": [{"code": "Z99"}]}, "grants": [{}]}),
    "another number": (2, {"grants": [{"number": "AU-2"}]}),
    "two grants": (
        2,
        {"grants": [{}, {"certification_date": "2026-01-10", "effective": {"from": "2026-03-10"}}]},
    ),
    "denied": (1, {"grants": [{"decision": {"action": "A3"}}]}),
    "out of network": (
        1,
        {
            "claim": {"network": "in"},
            "grants": [
                {
                    "servicing_provider": {
                        "npi": "1234567893",
                        "tin": "741234567",
                        "group_scope": "out",
                    }
                }
            ],
        },
    ),
    "nothing": (3, {"grants": []}),
    # the other templates
    "stay": (2, {"query": "inpatient", "grants": [{}]}),
    "stay a day later": (
        2,
        {"query": "inpatient", "grants": [{"admission": {"date": "2026-03-11"}}]},
    ),
    "image": (2, {"query": "outpatient", "grants": [{}]}),
    "other side": (
        1,
        {"query": "outpatient", "claim": {"line": {"modifiers": ["26"]}}, "grants": [{}]},
    ),
    "tooth": (2, {"query": "dental", "claim": {"line": _AUTHORIZED}, "grants": [{}]}),
    "next tooth": (
        2,
        {
            "query": "dental",
            "claim": {"line": {"teeth": [{"tooth": "15", "surfaces": ["M", "O"]}]} | _AUTHORIZED},
            "grants": [{}],
        },
    ),
    "specialist": (2, {"query": "referral", "grants": [{}]}),
    "other specialist": (
        2,
        {
            "query": "referral",
            "claim": {"rendering_provider": {"npi": "1588888887", "specialty": "06"}},
            "grants": [{}],
        },
    ),
}
"""By name how many claims there are of a case, and how each differs from full agreement."""


@cache
def known_study() -> tuple[StudyClaim, ...]:
    """A study of all cases."""
    usual: Json = {"query": "professional", "claim": {}}
    return tuple(
        _pair(name, number, **{**usual, **case})
        for name, (count, case) in CASES.items()
        for number in range(1, count + 1)
    )
