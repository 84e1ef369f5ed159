"""What is taken without an examiner, and which events say what stands in the way."""

import pytest

from service.domain.authorization import Authorization
from service.domain.event import Events
from service.domain.template import AutoResolve
from service.matching.ranking import rank
from service.matching.resolution import (
    Resolution,
    is_active,
    is_denied,
    is_pending,
    resolve,
    take_automatically,
)
from service.matching.scorer import Judged
from tests.builders import (
    ask,
    build_authorization,
    build_candidate,
    build_claim,
    changed,
    event_codes,
    judge,
)

AUTOMATIC = "auto_resolve: {enabled: true}\n"

NAMES = {
    "SPA-0009": "not found",
    "SPA-0010": "pending",
    "SPA-0012": "multiple",
    "SPA-0013": "denied",
    "SPA-0016": "non-exact",
    "AUM-0001": "truncated",
}


def decided(name: str, action: str | None, *, exact: bool = True) -> Authorization:
    """Make an authorization with a decision; a non-exact one is for another place."""
    return build_authorization(
        authorization_id=name,
        decision=None,
        line={"decision": {"action": action}} if action else {},
        place_of_service="11" if exact else "02",
    )


def resolved(*authorizations: Authorization, settings: str = "") -> Resolution:
    """Resolve a professional line with these authorizations."""
    asked = ask(library=changed("professional", settings) if settings else None)
    ranked = rank(judge(asked, *authorizations), asked.plan.template)
    return resolve(ranked, Events(event_codes(), "professional"))


def in_words(resolution: Resolution) -> tuple[list[str], list[str]]:
    """Give what was taken, and the events with the authorization that each speaks of."""
    return (
        [each.candidate.authorization_id for each in resolution.chosen],
        [f"{NAMES[each.code]} {each.authorization_id or ''}".strip() for each in resolution.events],
    )


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("A1", "active"),
        ("A2", "active"),
        ("A6", "active"),
        ("NA", "active"),
        ("A3", "denied"),
        ("A4", "pending"),
        ("CT", "pending"),
        (None, "pending"),
        ("Z9", "pending"),
    ],
)
def test_a_decision_is_active_denied_or_pending(action: str | None, state: str) -> None:
    """Exactly one of the three; what is not known is pending."""
    states = [is_active(action), is_denied(action), is_pending(action)]

    assert [state == each for each in ("active", "denied", "pending")] == states


@pytest.mark.parametrize(
    ("exact", "non_exact", "chosen", "events"),
    [
        ([], [], [], ["not found"]),
        (["A1"], [], ["E0"], []),
        (["A2", "A6"], [], ["E0", "E1"], []),
        (["NA"], [], ["E0"], []),
        (["A3"], [], [], ["denied E0"]),
        (["A4"], [], [], ["pending E0"]),
        (["CT"], [], [], ["pending E0"]),
        ([None], [], [], ["pending E0"]),
        (["A3", "A1"], [], ["E1"], ["denied E0"]),
        (["A4", "A1"], [], ["E1"], []),
        (["A3", "A3"], [], [], ["denied E0"]),
        (["A3", "A4"], [], [], ["denied E0", "pending E1"]),
        (["A3"], ["A1"], [], ["denied E0"]),
        (["A4"], ["A1"], [], ["pending E0"]),
        (["A1"], ["A3"], ["E0"], []),
        ([], ["A1"], [], ["non-exact N0"]),
        ([], ["A1", "A1"], [], ["non-exact N0"]),
        ([], ["A3", "A1"], [], ["non-exact N0"]),
        ([], ["A3"], [], ["non-exact N0", "denied N0"]),
        ([], ["A4"], [], ["non-exact N0", "pending N0"]),
        ([], ["CT", "A3"], [], ["non-exact N0", "pending N0"]),
    ],
)
def test_cases_9_and_10_decisions_together(
    exact: list[str | None], non_exact: list[str], chosen: list[str], events: list[str]
) -> None:
    """Case 10: an active exact match is used beside any other. Case 9: else none is taken."""
    found = [decided(f"E{place}", action) for place, action in enumerate(exact)]
    found += [decided(f"N{place}", each, exact=False) for place, each in enumerate(non_exact)]

    assert (chosen, events) == in_words(resolved(*found))


@pytest.mark.parametrize(
    ("exact", "non_exact", "chosen", "events"),
    [
        (["A3"], ["A1"], [], ["denied E0"]),
        (["A4"], ["A1"], [], ["pending E0"]),
        ([], ["A1"], ["N0"], []),
        ([], ["A1", "A3"], ["N0"], []),
        ([], ["A3"], [], ["non-exact N0", "denied N0"]),
    ],
)
def test_case_9_the_automatic_switch_does_not_overrule_a_decision(
    exact: list[str], non_exact: list[str], chosen: list[str], events: list[str]
) -> None:
    """Case 9: beside a denied or pended exact match a non-exact one is offered, never taken."""
    found = [decided(f"E{place}", action) for place, action in enumerate(exact)]
    found += [decided(f"N{place}", each, exact=False) for place, each in enumerate(non_exact)]

    assert (chosen, events) == in_words(resolved(*found, settings=AUTOMATIC))


@pytest.mark.parametrize(
    ("actions", "truncated", "severity", "action"),
    [
        (["A3", "A1"], False, "information", "none"),
        (["A3"], False, "error", "suspend"),
        (["A3", "A4"], False, "error", "suspend"),
        (["A3", "A1"], True, "error", "suspend"),
    ],
)
def test_case_10_a_denial_beside_what_is_used_only_informs(
    actions: list[str], truncated: bool, severity: str, action: str
) -> None:
    """Case 10: it stops the line only where nothing is taken."""
    found = [decided(f"E{place}", each) for place, each in enumerate(actions)]
    asked = ask()
    ranked = rank(judge(asked, *found), asked.plan.template, truncated=truncated)
    denied = resolve(ranked, Events(event_codes(), "professional")).events[0]

    assert ("SPA-0013", severity, action) == (denied.code, denied.severity, denied.action)


@pytest.mark.parametrize(
    ("exact", "non_exact", "events"),
    [
        (["A1", "A1"], [], ["truncated", "multiple"]),
        (["A3", "A1"], [], ["denied E0", "truncated", "multiple"]),
        (["A1"], ["A1"], ["truncated"]),
        ([], ["A1", "A1"], ["truncated"]),
    ],
)
def test_case_72_a_truncated_result_is_never_resolved(
    exact: list[str], non_exact: list[str], events: list[str]
) -> None:
    """Case 72: there may be a better one among those not seen."""
    found = [decided(f"E{place}", action) for place, action in enumerate(exact)]
    found += [decided(f"N{place}", each, exact=False) for place, each in enumerate(non_exact)]
    asked = ask(library=changed("professional", AUTOMATIC))
    ranked = rank(judge(asked, *found), asked.plan.template, truncated=True)

    assert ([], events) == in_words(resolve(ranked, Events(event_codes(), "professional")))


def with_score(judged: Judged, score: str) -> Judged:
    """Set what an authorization reached: ``85`` of 100, or ``17/20``."""
    points, _, attainable = score.partition("/")
    return judged._replace(score=int(points), attainable=int(attainable or 100))


@pytest.mark.parametrize(
    ("scores", "least", "lead", "taken"),
    [
        ("90", 80, 10, 1),
        ("80", 80, 10, 1),
        ("79", 80, 10, 0),
        ("90 80", 80, 10, 1),
        ("90 81", 80, 10, 2),
        ("90 81 72", 80, 10, 0),
        ("90 81 71", 80, 10, 2),
        ("95 84 82", 80, 10, 1),
        ("85 79", 80, 10, 0),
        ("95 94 93", 80, 10, 3),
        ("90 90", 80, 10, 2),
        ("799/1000", 80, 10, 0),
        ("4/5 701/1000", 80, 10, 0),
        ("4/5 7/10", 80, 10, 1),
        ("95 84 70", 80, 0, 2),
        ("81 79", 80, 0, 1),
        ("79", 80, 0, 0),
        ("", 80, 10, 0),
    ],
)
def test_how_many_are_taken_automatically(scores: str, least: int, lead: int, taken: int) -> None:
    """All down to the first gap of the lead; none if one below the minimum is nearer than that."""
    (judged,) = judge(ask(), build_authorization())
    ordered = [with_score(judged, score) for score in scores.split()]
    rule = AutoResolve(enabled=True, min=least, lead=lead)

    assert taken == len(take_automatically(ordered, rule))


def test_a_switch_that_is_off_takes_nothing() -> None:
    """However high the score is."""
    (judged,) = judge(ask(), build_authorization(place_of_service="02"))

    assert take_automatically([judged], AutoResolve(enabled=False)) == ()


def test_what_is_not_active_is_passed_over() -> None:
    """A refused authorization is not taken, and makes no gap."""
    asked = ask()
    (refused,) = judge(asked, decided("N0", "A3"))
    (granted,) = judge(asked, decided("N1", "A1"))

    taken = take_automatically([refused, granted], AutoResolve(enabled=True))

    assert [each.candidate.authorization_id for each in taken] == ["N1"]


@pytest.mark.parametrize(
    ("papers", "taken"),
    [
        # First and last valid day in March, and the place of service where it is another one.
        ([("01", "11", ""), ("12", "31", "")], ["A1", "A2"]),
        ([("13", "31", ""), ("01", "12", "")], ["A2", "A1"]),
        ([("01", "12", ""), ("11", "31", "")], ["A1", "A2"]),
        ([("01", "10", ""), ("11", "12", ""), ("13", "13", ""), ("14", "31", "")],
         ["A1", "A2", "A3", "A4"]),
        ([("01", "11", ""), ("01", "10", ""), ("12", "31", "")], ["A1", "A3"]),
        ([("01", "11", ""), ("13", "31", "")], []),
        ([("11", "31", ""), ("12", "31", "")], []),
        ([("01", "11", ""), ("12", "31", "02")], []),
        ([("01", "11", "")], []),
        ([("01", "11", ""), ("01", "31", "02")], []),
    ],
)  # fmt: skip
def test_what_adjoins_is_taken_together_where_it_covers_every_day(
    papers: list[tuple[str, str, str]], taken: list[str]
) -> None:
    """For days from March 10 to 14: a renewal is the same grant, and pays its own days."""
    found = [
        build_authorization(
            authorization_id=f"A{number}",
            effective={"from": f"2026-03-{first}", "to": f"2026-03-{last}"},
            place_of_service=place or None,
        )
        for number, (first, last, place) in enumerate(papers, 1)
    ]
    asked = ask(build_claim(line={"from": "2026-03-10", "to": "2026-03-14"}))
    ranked = rank(judge(asked, *found), asked.plan.template)
    resolution = resolve(ranked, Events(event_codes(), "professional"))

    assert in_words(resolution)[0] == taken
    assert bool(resolution.events) == (not taken)


def test_a_mothers_authorization_is_never_taken() -> None:
    """Neither where non-exact matches are taken, nor where two adjoin."""
    asked = ask(library=changed("professional", AUTOMATIC))
    found = [build_candidate(of_mother=True)]
    ranked = rank(judge(asked, *found), asked.plan.template)

    assert resolve(ranked, Events(event_codes(), "professional")).chosen == ()


@pytest.mark.parametrize(
    ("numbers", "taken"),
    [(("AU-1", "AU-2"), ["A1", "A2"]), (("AU-2", "AU-1"), ["A1", "A2"]), (("AU-2", "AU-3"), [])],
)
def test_a_renewal_may_have_a_number_of_its_own(numbers: tuple[str, str], taken: list[str]) -> None:
    """The claim has that of one of both, AU-1; not where it has neither."""
    found = [
        build_authorization(
            authorization_id=name,
            number=number,
            effective={"from": f"2026-03-{first}", "to": f"2026-03-{last}"},
        )
        for name, number, (first, last) in zip(
            ("A1", "A2"), numbers, (("01", "11"), ("12", "31")), strict=True
        )
    ]
    asked = ask(build_claim(line={"from": "2026-03-10", "to": "2026-03-14"}))
    ranked = rank(judge(asked, *found), asked.plan.template)

    assert in_words(resolve(ranked, Events(event_codes(), "professional")))[0] == taken
