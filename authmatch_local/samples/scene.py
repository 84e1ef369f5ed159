"""One member's papers in the making: the time and the identifiers that a story may use."""

from random import Random

from authmatch_local.samples import organizations, papers
from authmatch_local.samples.days import Days
from authmatch_local.samples.expected import Expected, Template
from authmatch_local.samples.numbers import earlier_number_of, number_of, typed, unknown_number
from authmatch_local.samples.papers import Json

ToldClaim = tuple[Json, list[Expected]]

LEFT_TO_THE_TABLE = 0.8
SLOT_DAYS = 91
SLOTS = 4
"""A story has a slot of its own in its template's year.

All that it says falls on days 7 to 83 of the slot, so stories of two slots are at least 14 days
apart: more than the match days of both sides together.
"""


class Scene:
    """Hands out days, organizations and ids, and keeps what the stories made of them."""

    def __init__(self, member: Json, first_ordinal: int, days: Days, rng: Random) -> None:
        self.member = member
        self.rng = rng
        self.story = ""
        self.heavy = False
        self.claims: list[ToldClaim] = []
        self.authorizations: list[Json] = []
        self.days = days
        self.slot = 0
        self._first_ordinal = first_ordinal

    @property
    def next_ordinal(self) -> int:
        """The place that the next authorization has in the whole."""
        return self._first_ordinal + len(self.authorizations)

    def day(self, offset: int) -> str:
        """A day of the current slot."""
        return self.days[self.slot * SLOT_DAYS + offset]

    def organization(self) -> organizations.Organization:
        """One that the story's authorizations may name."""
        return organizations.of_a_story(self.rng)

    def stranger(self) -> organizations.Organization:
        """One that no authorization names."""
        return organizations.unauthorized(self.rng)

    def authorization(
        self, setting: str, first: int, last: int | None, *, action: str = "A1", issued: int = 3
    ) -> Json:
        """Write and keep an authorization of this slot, still without scope."""
        ordinal = self.next_ordinal
        paper = papers.paper(
            ordinal,
            self.member,
            self.days,
            issued=self.slot * SLOT_DAYS + issued,
            action=action,
            rng=self.rng,
        )
        paper["setting"] = setting
        paper["effective"] = {
            "from": self.day(first),
            "to": None if last is None else self.day(last),
        }
        self.authorizations.append(paper)
        papers.decorate(paper, paper["certification_date"], self.rng.random())
        return paper

    def claim(self, claim_type: str) -> Json:
        """Write and keep a claim without lines."""
        claim: Json = {
            "claim_id": f"C{self._first_ordinal:09d}-{len(self.claims) + 1}",
            "version": 1,
            "type": claim_type,
            "frequency": "1",
            "received_on": self.day(SLOT_DAYS),
            "member": {"id": self.member["id"], "birth_date": self.member["birth_date"]},
            "network": "in",
            "lines": [],
        }
        self.claims.append((claim, []))
        return claim

    def benefit(self, asks_for: str, *, is_ruled: bool = False) -> Json:
        """Say that a line needs an authorization, or leave it to the table that says so."""
        leave = is_ruled and self.rng.random() < LEFT_TO_THE_TABLE
        return {
            "authorization_required": None if leave else True,
            "requested_type": None if leave else asks_for,
            "limit_adjustments": [],
        }

    def expect(self, expected: Expected) -> None:
        """Keep what must come out for a line of the latest claim."""
        self.claims[-1][1].append(expected)

    def decide(self, scope: Json, action: str) -> None:
        """Change the decision of an authorization or of one of its lines."""
        scope["decision"] = papers.decision(action, self.day(3), self.rng)
        if "status" in scope:
            scope["status"] = papers.status(action)

    def typed(self, authorization: Json) -> str:
        """The number of an authorization as a hand would type it."""
        return typed(authorization["number"], self.rng)

    def number_of_another_member(self) -> str:
        """The number of the authorization before this member's first one."""
        other = self._first_ordinal - 1
        return number_of(other if other >= 0 else self._first_ordinal + 1_000)

    def unknown_number(self) -> str:
        """A number that nobody has."""
        return unknown_number(self.next_ordinal)

    def earlier_number(self) -> str:
        """The number that the latest authorization had before."""
        return earlier_number_of(self.next_ordinal - 1)


def requested_type(template: Template) -> str:
    """Name what a line asks for when this template is to be used."""
    return "referral" if template == "referral" else "authorization"
