"""A story told once: an authorization, a claim built from it, and what must come out."""

from copy import deepcopy
from dataclasses import dataclass

from authmatch_local.samples.expected import EVENTS, Expected, MatchClass, Outcome, Template
from authmatch_local.samples.numbers import number_of
from authmatch_local.samples.organizations import Organization
from authmatch_local.samples.papers import Json, authorization_id
from authmatch_local.samples.scene import Scene, requested_type


@dataclass(slots=True, kw_only=True)
class Case:
    """An authorization (``service`` is its line, or its header) and a claim line that it covers."""

    scene: Scene
    template: Template
    organization: Organization
    authorization: Json
    service: Json
    claim: Json
    line: Json

    @property
    def id(self) -> str:
        """The id of the authorization that the claim was built from."""
        return str(self.authorization["authorization_id"])

    @property
    def dice(self) -> int:
        """A roll of the dice for variants of one story."""
        return int(self.scene.rng.random() * 1_000)

    def twin(self) -> Json:
        """Add a second authorization that says the same under its own number."""
        ordinal = self.scene.next_ordinal
        twin = deepcopy(self.authorization)
        twin["authorization_id"], twin["number"] = authorization_id(ordinal), number_of(ordinal)
        for name in ("administrative_reference", "requester_reference"):
            twin.pop(name, None)
        self.scene.authorizations.append(twin)
        return twin

    def quote(self, number: str | None = None, *, level: str = "claim", kind: str = "") -> None:
        """Put a number on the claim or on its line: by default the authorization's own."""
        paper = self.claim if level == "claim" else self.line
        paper.setdefault("authorization_numbers", []).append(
            {
                "kind": kind or requested_type(self.template),
                "value": number or self.scene.typed(self.authorization),
            }
        )

    def next_line(self, **changes: object) -> None:
        """Add a claim line like the latest one, with changes; it is the one that is judged next."""
        line = deepcopy(self.line)
        line.pop("authorization_numbers", None)
        if "place_of_service" in line:
            line["place_of_service"] = self.claim["place_of_service"]
        line |= changes
        line["line"] = len(self.claim["lines"]) + 1
        self.claim["lines"].append(line)
        self.line = line

    def exact(
        self, score: int, attainable: int, *chosen: Json, also: tuple[Outcome, ...] = ()
    ) -> None:
        """Expect an exact match, drawn from the given authorizations in this order."""
        ids = tuple(each["authorization_id"] for each in chosen) or (self.id,)
        self._expect("exact", ids[0], also, (score, attainable), chosen=ids)

    def not_usable(self, outcome: Outcome, score: int, attainable: int) -> None:
        """Expect an exact match which may not be used: denied or pending."""
        self._expect("exact", self.id, (outcome,), (score, attainable))

    def non_exact(self, score: int, attainable: int, *, also: tuple[Outcome, ...] = ()) -> None:
        """Expect a match that an examiner must look at."""
        self._expect("non-exact", self.id, ("non-exact", *also), (score, attainable))

    def nothing(self, *, also: tuple[Outcome, ...] = ()) -> None:
        """Expect that nothing is found, near misses apart.

        A professional gives the service at the office: in a hospital it may be part of what the
        hospital was granted in another story.
        """
        if self.template == "professional":
            self.line["place_of_service"] = "11"
        self._expect("none", None, ("not-found", *also), (None, None))

    def _expect(
        self,
        class_: MatchClass,
        best: str | None,
        outcomes: tuple[Outcome, ...],
        points: tuple[int | None, int | None],
        *,
        chosen: tuple[str, ...] = (),
    ) -> None:
        events = EVENTS[self.template]
        self.scene.expect(
            Expected(
                story=self.scene.story,
                claim_id=self.claim["claim_id"],
                line=self.line["line"],
                type="referral" if self.template == "referral" else "authorization",
                template=self.template,
                class_=class_,
                chosen=chosen,
                best=best,
                events=tuple(sorted(events[outcome] for outcome in outcomes)),
                score=points[0],
                attainable=points[1],
                heavy=self.scene.heavy,
            )
        )
