"""What holds for any claim and any authorization, by the rules."""

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.authorization import Authorization
from service.domain.claim import Claim
from service.domain.event import Events
from service.matching.answer import evidence
from service.matching.ranking import rank
from service.matching.resolution import resolve
from tests.builders import (
    AUTHORIZATIONS,
    CLAIMS,
    Fields,
    ask,
    build_authorization,
    build_candidate,
    build_claim,
    event_codes,
    judge,
)

QUERIES = st.sampled_from(sorted(CLAIMS))
DAYS = st.dates(date(2026, 2, 1), date(2026, 6, 30)).map(str) | st.sampled_from(
    ["2026-02-28", "2026-03-01", "2026-03-12", "2026-05-31", "2026-06-07"]
)
PROCEDURES = st.sampled_from(
    ["97110", "97112", "97161", "70551", "D2392", "D4341", "99203", "9711T"]
)
MODIFIERS = st.lists(st.sampled_from(["RT", "LT", "50", "GP", "25", "TC"]), max_size=3)
DIAGNOSES = st.lists(
    st.sampled_from(["M54.50", "M54.16", "M16.11", "I10"]).map(lambda code: {"code": code}),
    max_size=3,
)
PLACES = st.sampled_from([None, "11", "02", "19", "22", "21"])
BILLS = st.sampled_from([None, "0131", "0111", "0181", "0211"])
TEETH = st.sampled_from([None, "8", "14", "AS"])
REVENUE = st.sampled_from([None, "0120", "0200", "0611", "0612"])
PEOPLE: dict[str, st.SearchStrategy[Any]] = {
    "npi": st.sampled_from([None, "1234567893", "1477777776", "1122334455"]),
    "tin": st.sampled_from([None, "741234567", "751112223"]),
    "taxonomy": st.lists(st.sampled_from(["225100000X", "207RC0000X"]), max_size=2),
    "specialty": st.sampled_from([None, "06", "21", "65"]),
}
NUMBERS: st.SearchStrategy[list[Fields]] = st.lists(
    st.builds(
        dict,
        kind=st.sampled_from(["authorization", "referral", "predetermination"]),
        value=st.sampled_from(["AU-1", "au 1", "AU-2"]),
    ),
    max_size=2,
)


@st.composite
def claims(draw: st.DrawFn, query: str) -> Claim:
    """Change some of the fields of the claim that agrees in everything."""
    first, last = sorted((draw(DAYS), draw(DAYS)))
    days = {"from": first, "to": draw(st.sampled_from([first, last]))}
    line: Fields = {
        "procedure": draw(st.none() | PROCEDURES),
        "modifiers": draw(MODIFIERS),
        "revenue_code": draw(REVENUE),
        "teeth": [{"tooth": each, "surfaces": ["M"]} for each in [draw(TEETH)] if each],
    }
    header: Fields = {
        "place_of_service": draw(PLACES),
        "bill_type": draw(BILLS),
        "diagnoses": draw(DIAGNOSES),
        "network": draw(st.sampled_from([None, "in", "out"])),
        "rendering_provider": draw(st.none() | st.fixed_dictionaries(PEOPLE)),
        "billing_provider": draw(st.fixed_dictionaries(PEOPLE)),
        "authorization_numbers": draw(NUMBERS),
        "admission": {"date": draw(st.none() | DAYS)},
    }
    dated = draw(st.sampled_from([{}, days]))
    return build_claim(query, line={**dated, **draw(some_of(line))}, **draw(some_of(header)))


@st.composite
def authorizations(draw: st.DrawFn, query: str) -> Authorization:
    """Change some of the fields of the authorization that agrees in everything."""
    first, last = sorted((draw(DAYS), draw(DAYS)))
    provider = PEOPLE | {"group_scope": st.sampled_from([None, "in", "out", "either"])}
    header: Fields = {
        "effective": {"from": first, "to": draw(st.sampled_from([None, last]))},
        "decision": {"action": draw(st.sampled_from(["A1", "A3", "A4", "CT", "NA"]))},
        "servicing_provider": draw(st.none() | st.fixed_dictionaries(provider)),
        "facility": draw(st.none() | st.fixed_dictionaries(provider)),
        "place_of_service": draw(PLACES),
        "bill_type": draw(BILLS),
        "diagnoses": draw(DIAGNOSES),
        "certification_date": draw(st.none() | DAYS),
        "number": draw(st.sampled_from([None, "AU-1", "AU-2"])),
        "authorization_id": draw(st.sampled_from(["A1", "A2", "A3", "A4", "A5"])),
    }
    line: Fields = {
        "procedure": draw(st.none() | PROCEDURES.map(lambda code: {"from": code})),
        "modifiers": draw(MODIFIERS),
        "revenue_code": draw(REVENUE),
        "tooth": draw(TEETH),
    }
    lines = [draw(some_of(line)) for _ in range(draw(st.integers(0, 3)))]
    return build_authorization(query, lines=lines, **draw(some_of(header)))


def some_of(fields: Fields) -> st.SearchStrategy[Fields]:
    """Take some of the fields; the others stay as they agree."""
    return st.sets(st.sampled_from(sorted(fields))).map(
        lambda names: {name: fields[name] for name in names}
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, Claim, list[Authorization]]:
    """Give a query, a claim, and authorizations of different ids."""
    query = draw(QUERIES)
    made = draw(st.lists(authorizations(query), max_size=4, unique_by=lambda a: a.authorization_id))
    return query, draw(claims(query)), made


@settings(max_examples=40)
@given(pairs())
def test_a_score_is_the_sum_of_its_evidence(
    pair: tuple[str, Claim, list[Authorization]],
) -> None:
    """And what could be reached the sum of what each criterion could give."""
    query, claim, authorizations = pair
    for judged in judge(ask(claim, query), *authorizations):
        entries = evidence(judged)

        assert sum(each["points"] for each in entries) == judged.score
        assert sum(each["of"] for each in entries) == judged.attainable
        assert all(0 <= each["points"] <= each["of"] for each in entries)
        assert 0 <= judged.score <= judged.best_score <= judged.attainable
        assert 0 <= judged.percent <= 100


@settings(max_examples=40)
@given(pairs())
def test_a_class_follows_from_the_evidence(pair: tuple[str, Claim, list[Authorization]]) -> None:
    """Exact bars nothing; what is not exact says why, or was found by tolerance only."""
    query, claim, authorizations = pair
    for judged in judge(ask(claim, query), *authorizations):
        if judged.match_class == "exact":
            assert not judged.blockers
            assert not judged.tolerance
            assert judged.attainable > 0
        else:
            assert judged.blockers or judged.tolerance or judged.attainable == 0
        if judged.match_class == "non-exact":
            assert 100 * judged.score >= 60 * judged.attainable
        entries = evidence(judged)
        full = all(each["grade"] in ("full", "wildcard") for each in entries)
        assert not full or judged.tolerance or judged.unmet or judged.match_class == "exact"


@settings(max_examples=40)
@given(pairs(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(
    pair: tuple[str, Claim, list[Authorization]], random: Any
) -> None:
    """However they come, they are ranked the same, and the same are taken."""
    query, claim, authorizations = pair
    asked = ask(claim, query)
    shuffled = random.sample(authorizations, len(authorizations))
    found = [rank(judge(asked, *each), asked.plan.template) for each in (authorizations, shuffled)]
    orders = [
        [each.candidate.authorization_id for each in (*ranked.shown, *ranked.near_misses)]
        for ranked in found
    ]
    taken = [
        [
            each.candidate.authorization_id
            for each in resolve(ranked, Events(event_codes(), query)).chosen
        ]
        for ranked in found
    ]

    assert orders[0] == orders[1]
    assert taken[0] == taken[1]


@settings(max_examples=40)
@given(pairs())
def test_only_what_is_active_is_taken(pair: tuple[str, Claim, list[Authorization]]) -> None:
    """And where nothing is taken an event says why."""
    query, claim, authorizations = pair
    asked = ask(claim, query)
    ranked = rank(judge(asked, *authorizations), asked.plan.template)
    resolution = resolve(ranked, Events(event_codes(), query))

    assert {each.action for each in resolution.chosen} <= {"A1", "A2", "A6", "NA"}
    assert resolution.chosen or resolution.events


@settings(max_examples=30)
@given(QUERIES, st.sets(st.sampled_from(["servicing_provider", "facility", "diagnoses"])))
def test_an_authorization_of_the_very_service_is_exact(query: str, dropped: set[str]) -> None:
    """Also one that is silent about some of it: what is not scoped covers all."""
    silent: Fields = {name: [] if name == "diagnoses" else None for name in dropped}
    (judged,) = judge(ask(query=query), build_authorization(query, **silent))

    assert ("exact", judged.attainable) == (judged.match_class, judged.score)


@settings(max_examples=40)
@given(pairs(), MODIFIERS, st.sampled_from(["RT", "LT", "50", "GP", "TC"]))
def test_one_more_modifier_never_raises_a_score(
    pair: tuple[str, Claim, list[Authorization]], modifiers: list[str], more: str
) -> None:
    """What an authorization demands more it can only miss: fewer claims fit it, never more."""
    query, claim, _ = pair
    asked = ask(claim, query)
    scores = [
        [
            each.best_score
            for each in judge(asked, build_authorization(query, line={"modifiers": demanded}))
        ]
        for demanded in (modifiers, [*modifiers, more])
    ]

    assert len(scores[0]) == len(scores[1])
    assert all(less >= more for less, more in zip(*scores, strict=True))


@settings(max_examples=40)
@given(pairs())
def test_candidates_do_not_change_one_another(
    pair: tuple[str, Claim, list[Authorization]],
) -> None:
    """Each is judged as if it were alone."""
    query, claim, authorizations = pair
    asked = ask(claim, query)
    together = [(each.score, each.match_class) for each in judge(asked, *authorizations)]
    alone = [
        (each.score, each.match_class)
        for authorization in authorizations
        for each in judge(asked, authorization)
    ]

    assert together == alone


def test_every_query_has_its_pair() -> None:
    """The properties are of all templates."""
    assert CLAIMS.keys() == AUTHORIZATIONS.keys()
    assert build_candidate().authorization_id == "A1"
