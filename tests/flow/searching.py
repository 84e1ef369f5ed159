"""Searches as matching leaves them, and what is chosen for them; made without any engine."""

from typing import Any

from service.domain.adjudication import Adjudication
from service.domain.authorization import Authorization
from service.domain.candidate import Candidate, Standing
from service.domain.event import Events, Outcome
from service.flow.adjudicating.choosing import Chosen, choose
from service.flow.matching.match import LineSearch
from service.matching.ranking import rank
from service.matching.resolution import resolve
from tests.builders import ask, build_authorization, build_claim, changed, event_codes, judge

UNITS = {"units": "10", "unit": "UN"}


def paper(name: str = "A1", **header: Any) -> Authorization:
    """An authorization of ten units that covers the usual claim."""
    return build_authorization(authorization_id=name, **{"limits": UNITS, **header})


def examined(*selected: str | dict[str, Any], **claim: Any) -> Adjudication:
    """The usual claim, with the authorizations that an examiner selected for its line."""
    chosen = [{"authorization_id": each} if isinstance(each, str) else each for each in selected]
    selections = [{"line": 1, "authorizations": chosen}] if chosen else []
    usual = build_claim().model_dump(mode="json", by_alias=True)
    return Adjudication.model_validate({**usual, "selections": selections, **claim})


def searched(
    *found: Authorization | Candidate,
    claim: Adjudication | None = None,
    settings: str = "",
    more: tuple[Outcome, ...] = (),
) -> LineSearch:
    """The search for line 1 of a claim that found these authorizations, and was resolved.

    ``settings`` change its template, ``more`` are further outcomes that became events.
    """
    claim = claim or examined()
    asked = ask(claim, library=changed("professional", settings) if settings else None)
    ranked = rank(judge(asked, *found), asked.plan.template)
    resolution = resolve(ranked, Events(event_codes(), "professional", claim.type))
    events = (Events(event_codes(), "professional").make(outcome) for outcome in more)
    return LineSearch(
        line=claim.lines[0],
        kind="authorization",
        plan=asked.plan,
        is_required=True,
        template_row="1",
        asked=asked,
        ranked=ranked,
        resolution=resolution,
        events=(*resolution.events, *events),
    )


def chosen_for(
    claim: Adjudication,
    search: LineSearch,
    *standing: Authorization | Standing,
    may_override: bool = False,
) -> Chosen:
    """What is chosen for a search; an authorization stands as it was pushed."""
    return choose(
        claim,
        search,
        {each.authorization.authorization_id: each for each in map(_standing, standing)},
        may_override=may_override,
    )


def _standing(given: Authorization | Standing) -> Standing:
    if isinstance(given, Standing):
        return given
    return Standing(authorization=given, void=False, current=True)


def names(chosen: Chosen) -> list[str]:
    """The choices in their order: authorization, line, and s for one that was selected."""
    return [
        f"{each.authorization.authorization_id}/{each.line}{' s' if each.is_selected else ''}"
        for each in chosen.choices
    ]
