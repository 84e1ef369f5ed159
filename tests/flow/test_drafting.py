"""What is known of an answer before any unit is moved."""

from typing import Any

import pytest

from service.accounting.books.record import LineDraft, pack, unpack
from service.domain.answers import Summary
from service.domain.person import Person
from service.flow.adjudicating._drafting import Drafted, Drafting
from service.flow.matching.finding import Finder
from service.flow.matching.match import LineSearch, Matched
from service.rules.book import RuleBook
from tests.flow.searching import chosen_for, examined, paper, searched
from tests.ground import shipped_rules

DENIED = {"decision": {"action": "A3"}}
PREVIOUS: Summary = {"version": 1, "rules": {}, "lines": {}}


def drafted(
    search: LineSearch, *papers: Any, selected: tuple[str, ...] = (), **more: Any
) -> Drafted:
    """The draft of the usual claim, of one line."""
    claim = examined(*selected)
    requirement: Any = None
    matched = Matched(
        answer={
            "claim_id": claim.claim_id,
            "version": claim.version,
            "lines": [{"line": 1, "requirement": requirement, "results": []}],
            "rules": {},
        },
        searches=(search,),
        finder=Finder(source=None, payer="", person=Person.of("M0001")),  # type: ignore[arg-type]
    )
    chosen = chosen_for(claim, search, *papers)
    drafting = Drafting(claim=claim, rules=more.pop("rules", shipped_rules()), **more)
    return drafting.claim_drafted(matched, [chosen])


def line_of(draft: Drafted) -> LineDraft:
    """Its one line."""
    (line,) = draft.draft["lines"]
    return line


def events(line: LineDraft) -> list[str]:
    """The events of a line, with the authorization that each speaks of."""
    return [f"{each['code']} {each.get('authorization_id', '')}".strip() for each in line["events"]]


def test_a_void_waits_for_nothing() -> None:
    """Whatever the claim that it voids: no authorization would change it."""
    claim = examined(frequency="8", original_claim_id="C-0")
    void = Drafting(claim=claim, rules=shipped_rules(), is_unknown=True).void_drafted()

    assert not void.waiting.is_possible
    assert [line["void"] for line in void.draft["lines"]] == [True]
    assert events(line_of(void)) == ["AUM-0004"]


def test_what_the_search_said_is_not_said_again_by_a_refusal() -> None:
    """Matching named the denied authorization already."""
    denied = paper("A1", **DENIED)
    search = searched(denied)
    draft = drafted(search, denied, selected=("A1",))

    assert [event.outcome for event in search.events] == ["denied"]
    assert events(line_of(draft)) == ["AUM-0005 A1", "SPA-0013 A1"]
    assert not line_of(draft)["asks"]


def denying() -> RuleBook:
    """The shipped rules, by which what is exhausted is denied at once."""
    rules = shipped_rules()
    codes = rules.event_codes
    code = codes.code_of("exhausted", "professional")
    told = codes.events[code].model_copy(update={"action": "deny"})
    changed = codes.model_copy(update={"events": {**codes.events, code: told}})
    return RuleBook(
        plans=rules.plans, tables=rules.tables, references=rules.references, event_codes=changed
    )


@pytest.mark.parametrize(("rules", "denials"), [(shipped_rules, []), (denying, ["SPA-0011"])])
def test_the_reasons_of_what_may_deny_are_kept(rules: Any, denials: list[str]) -> None:
    """Also of what is only said if units run short."""
    draft = drafted(searched(paper()), paper(), rules=rules())

    assert list(draft.draft["denials"]) == denials
    assert all(reason["carc"] == "198" for reason in draft.draft["denials"].values())


def test_who_the_member_is_and_what_was_before_are_part_of_the_draft() -> None:
    """It is not changed after it was made, and comes back from its record as it is."""
    merged = Person(member="M2", given="M0001", former=("M0001",))
    draft = drafted(searched(paper()), paper(), person=merged, previous=PREVIOUS).draft

    assert draft["claim"]["member"] == {"id": "M0001", "merged_into": "M2"}
    assert draft["previous"] == PREVIOUS
    assert unpack(pack(draft)) == draft
