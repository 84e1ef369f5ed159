"""Drafts an adjudication: all of the answer that is known before any unit is moved.

Every event that matching did not raise is raised here, also those that will be said only if units
run short.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from service.accounting.books.plan import ClaimPlan
from service.accounting.books.record import (
    BenefitDraft,
    Billed,
    Draft,
    KindDraft,
    KnownAuthorization,
    LineDraft,
    Shortage,
)
from service.accounting.books.scale import scaled
from service.accounting.books.waiting import Waiting, waiting_of
from service.accounting.limits.choice import Asked, Obstacle, flags_of, unit_price_of
from service.accounting.planning.counting import billed_unit, units_of
from service.accounting.planning.planning import plan_claim
from service.domain.adjudication import Adjudication
from service.domain.answers import AdjustmentReason, ClaimHead, MatchedLine, Summary
from service.domain.claim import ServiceLine
from service.domain.claim_values import days_of
from service.domain.decision import Decision
from service.domain.event import DenyWith, Event, Events
from service.domain.person import Person
from service.flow.adjudicating.choosing import Chosen
from service.flow.matching.match import Matched, grant, merged_member
from service.rules.book import RuleBook

ZERO_CLAIM, VOID, REPLACEMENT = "0", "8", "7"

_SHORTAGES: tuple[Literal["exhausted", "exceeded"], ...] = ("exhausted", "exceeded")

BENEFIT_ACTION = "BENAU"
"""Action code of seed 001: the authorization went before a benefit limit, for review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """The draft of the answer, the plan of what is to be drawn, and when the claim waits.

    ``others_wait``: every line that is not in the plan goes to an examiner; ``some_wait``: some do;
    ``is_stopped``: some do, or are denied.
    ``looked_at`` are accounts of the candidates that are shown.
    """

    draft: Draft
    plan: ClaimPlan
    waiting: Waiting
    others_wait: bool
    some_wait: bool
    is_stopped: bool
    looked_at: Mapping[str, Iterable[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """Drafts one claim.

    ``person`` is who the member is, where that was asked; ``previous`` the run before, in short;
    ``is_unknown``: the claim corrects one that is not known; ``decisions`` are those of examiners.
    """

    claim: Adjudication
    rules: RuleBook
    person: Person | None = None
    previous: Summary | None = None
    is_unknown: bool = False
    decisions: tuple[Decision, ...] = ()

    def claim_drafted(self, matched: Matched, chosen: Sequence[Chosen]) -> Drafted:
        """Draft every line from what was matched and chosen for it."""
        by_line: dict[int, list[Chosen]] = {line.line: [] for line in self.claim.lines}
        for each in chosen:
            by_line[each.search.line.line].append(each)
        events = {number: self._events(of_line) for number, of_line in by_line.items()}
        settled = self._settled(by_line, events)
        asked = self._asked(by_line, events)
        planned = plan_claim(self.claim, asked, self.rules.references)
        for obstacle in planned.obstacles:
            events[obstacle.line].append(self._stopped(obstacle, by_line))
        resolved = self._resolved(by_line, events)
        query_types = {self.rules.query_type(each.search.plan) for each in chosen}
        shortages = {name: self._shortage(name) for name in query_types}
        kinds = {
            line.line: [self._kind(each, shortages) for each in by_line[line.line]]
            for line in planned.plan.lines
        }
        matched_lines = {each["line"]: each for each in matched.answer["lines"]}
        lines = [
            self._line(
                line,
                by_line[line.line],
                events[line.line],
                (*settled.get(line.line, ()), *resolved.get(line.line, ())),
                kinds.get(line.line),
                matched_lines[line.line],
            )
            for line in self.claim.lines
        ]
        plan = _as_events_say(planned.plan, kinds)
        granting = grant(self.claim, matched.searches, self.rules)
        drafted = self._drafted(lines, events, plan, _versions(matched, self.rules), chosen)
        _flag_outside(drafted.draft["authorizations"], planned.outside)
        drafted.draft["granted"] = granting.granted
        return replace(drafted, looked_at=granting.accounts)

    def void_drafted(self) -> Drafted:
        """Draft a void: nothing is matched, and no line bills anything any more."""
        events = {line.line: self._events(()) for line in self.claim.lines}
        lines = [
            self._line(line, (), events[line.line], (), None, None) for line in self.claim.lines
        ]
        rules = {"event codes": self.rules.event_codes.version}
        return self._drafted(lines, {}, ClaimPlan(), rules, ())

    def _drafted(
        self,
        lines: list[LineDraft],
        events: Mapping[int, Iterable[Event]],
        plan: ClaimPlan,
        rules: dict[str, str],
        chosen: Sequence[Chosen],
    ) -> Drafted:
        draft: Draft = {
            "claim": self._head(),
            "rules": rules,
            "lines": lines,
            "denials": self._denials(lines),
            "priced": _reason(self.rules.references.accounting.priced),
            "authorizations": _authorizations(chosen),
            "bounds": _bounds(plan),
        }
        if self.previous is not None:
            draft["previous"] = self.previous
        billed = {line["line"]: line["billed"]["units"] for line in lines}
        raised = [event for of_line in events.values() for event in of_line]
        outcomes = self.rules.references.accounting.waits_for
        return Drafted(
            draft=draft,
            plan=plan,
            waiting=waiting_of(raised, billed, plan, outcomes),
            others_wait=all(line["asks"] or _is_suspended(line) for line in lines),
            some_wait=any(map(_is_suspended, lines)),
            is_stopped=any(event.action != "none" for event in raised),
        )

    def _head(self) -> ClaimHead:
        claim = self.claim
        head: ClaimHead = {
            "claim_id": claim.claim_id,
            "version": claim.version,
            "claim_type": claim.type,
            "frequency": claim.frequency,
            "original_claim_id": claim.original_claim_id,
            "stage": claim.stage,
        }
        if self.person is not None and self.person.is_merged:
            head["member"] = merged_member(self.person)
        return head

    def _events(self, chosen: Iterable[Chosen]) -> list[Event]:
        """The events of a line that are known before anything is planned."""
        events: list[Event] = []
        for each in chosen:
            make = self.rules.events(each.search.plan, self.claim.type).make
            refused = [make(outcome, authorization_id=name) for outcome, name in each.refused]
            said = {(event.code, event.authorization_id) for event in refused}
            events += [
                event for event in each.events if (event.code, event.authorization_id) not in said
            ]
            events += refused
        if self.is_unknown:
            events.append(
                Events(self.rules.event_codes, self.claim.type, self.claim.type).make(
                    "unknown_original"
                )
            )
        return events

    def _settled(
        self, by_line: Mapping[int, Sequence[Chosen]], events: dict[int, list[Event]]
    ) -> dict[int, list[Event]]:
        """Let an examiner's event take the place of those that stop a line; gives the latter.

        Another event than one that denies is raised only while the line is stopped.
        """
        settled: dict[int, list[Event]] = {}
        for each in self.decisions:
            of_line = events.get(each.line, [])
            stopping = [event for event in of_line if event.action != "none"]
            if each.deny_with is None and (each.event is None or not stopping):
                continue
            plans = [chosen.search.plan for chosen in by_line.get(each.line, ())]
            query_type = self.rules.query_type(plans[0]) if plans else self.claim.type
            codes = self.rules.event_codes
            outcome = (codes.outcomes_of(each.event) if each.event else None) or ["examiner_denied"]
            make = Events(codes, query_type, self.claim.type).make
            raised = make(outcome[0], code=each.event)
            settled[each.line] = stopping
            events[each.line] = [event for event in of_line if event not in stopping] + [raised]
        return settled

    def _stopped(self, obstacle: Obstacle, by_line: Mapping[int, Iterable[Chosen]]) -> Event:
        """Raise the event of what keeps a line from being drawn."""
        plan = next(
            each.search.plan for each in by_line[obstacle.line] if each.search.kind == obstacle.kind
        )
        events = self.rules.events(plan, self.claim.type)
        return events.make(obstacle.outcome, authorization_id=obstacle.authorization_id)

    def _resolved(
        self, by_line: Mapping[int, Sequence[Chosen]], events: Mapping[int, Iterable[Event]]
    ) -> dict[int, list[Event]]:
        """What planning would have said of a line that an examiner selected for, had he not."""
        without = {
            line: [replace(each, choices=each.matched or each.choices) for each in chosen]
            for line, chosen in by_line.items()
            if any(choice.is_selected for each in chosen for choice in each.choices)
        }
        if not without:
            return {}
        resolved: dict[int, list[Event]] = {}
        asked = self._asked(without, events)
        for obstacle in plan_claim(self.claim, asked, self.rules.references).obstacles:
            resolved.setdefault(obstacle.line, []).append(self._stopped(obstacle, by_line))
        return resolved

    def _asked(
        self, by_line: Mapping[int, Iterable[Chosen]], events: Mapping[int, Iterable[Event]]
    ) -> list[Asked]:
        """Ask for the lines that no event stops; a non-payment claim asks for none."""
        if self.claim.frequency == ZERO_CLAIM:
            return []
        return [
            Asked(
                line=line,
                kind=each.search.kind,
                query_type=self.rules.query_type(each.search.plan),
                choices=each.choices,
            )
            for line in self.claim.lines
            if all(event.action == "none" for event in events[line.line])
            for each in by_line.get(line.line, ())
        ]

    def _kind(self, chosen: Chosen, shortages: Mapping[str, Shortage]) -> KindDraft:
        """Keep what will be said of one kind, and of which authorization."""
        return {
            "kind": chosen.search.kind,
            "query_type": self.rules.query_type(chosen.search.plan),
            **shortages[self.rules.query_type(chosen.search.plan)],
            "order": [choice.authorization.authorization_id for choice in chosen.choices],
        }

    def _shortage(self, query_type: str) -> Shortage:
        adjustment = self.rules.references.accounting.exceeded_of(query_type)
        events = Events(self.rules.event_codes, query_type, self.claim.type)
        return {
            "exceeded": events.make("units_exceeded").as_answer(),
            "exhausted": events.make("exhausted").as_answer(),
            "adjustment": _reason(adjustment),
        }

    def _line(
        self,
        line: ServiceLine,
        chosen: Sequence[Chosen],
        events: Iterable[Event],
        resolved: Iterable[Event],
        kinds: list[KindDraft] | None,
        matched: MatchedLine | None,
    ) -> LineDraft:
        """Write a line; ``kinds`` are None for one that is not in the plan.

        ``matched`` is None for a line of a void, ``resolved`` are events of planning.
        """
        settled = [event for each in chosen for event in each.resolved]
        results = matched["results"] if matched else []
        draft: LineDraft = {
            "line": line.line,
            "day": days_of(self.claim, line)[0].isoformat(),
            "billed": self._billed(line),
            "asks": kinds is not None,
            "events": [event.as_answer() for event in events],
            "resolved": [event.as_answer() for event in (*settled, *resolved)],
            "kinds": kinds or [],
            "benefit": _benefit(line, chosen),
            "prior": [
                {**number, "type": result["type"]}
                for result in results
                for number in result["submitted_numbers"]
            ],
            "requirement": matched["requirement"] if matched else None,
            "results": results,
        }
        decisions = [each for each in self.decisions if each.line == line.line]
        if decisions:
            draft["decisions"] = [each.model_dump(mode="json") for each in decisions]
        denied = [each.deny_with for each in decisions if each.deny_with is not None]
        if denied:
            draft["denial"] = _reason(denied[0])
        if matched is None:
            draft["void"] = True
        return draft

    def _billed(self, line: ServiceLine) -> Billed:
        return {
            "units": scaled(units_of(line)),
            "unit": billed_unit(line, self.rules.references),
            "amount": scaled(line.charge) if line.charge is not None else 0,
        }

    def _denials(self, lines: Iterable[LineDraft]) -> dict[str, AdjustmentReason]:
        """The reasons of all events that deny a line, or may if its units run short."""
        raised = {
            event["code"]
            for line in lines
            for event in (
                *line["events"],
                *(kind["exceeded"] for kind in line["kinds"]),
                *(kind["exhausted"] for kind in line["kinds"]),
            )
            if event["action"] == "deny"
        }
        reasons = {code: self.rules.event_codes.events[code].deny_with for code in sorted(raised)}
        return {code: _reason(reason) for code, reason in reasons.items() if reason is not None}


def _reason(adjustment: DenyWith) -> AdjustmentReason:
    return {
        "group": adjustment.group,
        "carc": adjustment.carc,
        "remarks": list(adjustment.remarks),
    }


def _as_events_say(plan: ClaimPlan, kinds: Mapping[int, Sequence[KindDraft]]) -> ClaimPlan:
    """Let no line be drawn in part whose event for exceeded units would then stop it.

    A line that gets nothing waits for an examiner, unless an event denies it.
    """
    lines = [
        line._replace(
            whole_only=line.whole_only
            or any(kind["exceeded"]["action"] != "none" for kind in kinds[line.line]),
            waits_when=tuple(
                name
                for name in _SHORTAGES
                if all(kind[name]["action"] != "deny" for kind in kinds[line.line])
            ),
        )
        for line in plan.lines
    ]
    return replace(plan, lines=tuple(lines))


def _is_suspended(line: LineDraft) -> bool:
    return any(event["action"] == "suspend" for event in line["events"])


def _versions(matched: Matched, rules: RuleBook) -> dict[str, str]:
    """The version of every rule that had a part: a later run can say what changed."""
    templates = {
        search.plan.template.id: f"{search.plan.template.version}:{search.plan.hash[:12]}"
        for search in matched.searches
    }
    return {
        "set": rules.name,
        **{f"template {name}": version for name, version in sorted(templates.items())},
        "table is-authorization-required": rules.tables.is_authorization_required.short_hash,
        "table requested-auth-type": rules.tables.requested_auth_type.short_hash,
        "event codes": rules.event_codes.version,
        "accounting": rules.references.accounting.version,
        "unit conversions": rules.references.units.version,
    }


def _benefit(line: ServiceLine, chosen: Iterable[Chosen]) -> BenefitDraft:
    """Keep the benefit's own adjustments, and which authorizations may go before them (004)."""
    authorizations = [choice.authorization for each in chosen for choice in each.choices]
    return {
        "action": BENEFIT_ACTION,
        "limit_adjustments": list(line.benefit.limit_adjustments),
        "may_override": {
            each.authorization_id: each.override_benefit_limits is not False
            for each in authorizations
        },
    }


def _authorizations(chosen: Iterable[Chosen]) -> dict[str, KnownAuthorization]:
    """Keep what the answer says of every authorization that may be drawn."""
    known: dict[str, KnownAuthorization] = {}
    for line, choice in ((each.search.line, choice) for each in chosen for choice in each.choices):
        authorization = choice.authorization
        entry = known.setdefault(
            authorization.authorization_id,
            {
                "number": authorization.number,
                "kind": authorization.kind,
                "version": authorization.version,
                "actions": {},
                "flags": {},
            },
        )
        entry["actions"][str(choice.line)] = choice.action
        price = unit_price_of(authorization, choice.line)
        if price is not None:
            entry.setdefault("prices", {})[str(choice.line)] = format(price, "f")
        flags = flags_of(authorization, choice.line, line.from_) if line.from_ else ()
        if flags:
            entry["flags"][str(line.line)] = list(flags)
    return known


def _flag_outside(
    known: Mapping[str, KnownAuthorization], outside: Iterable[tuple[int, str, int]]
) -> None:
    """Flag what is drawn for days on which it is not valid, where no other flag says so."""
    for line, authorization_id, _ in sorted(outside):
        flags = known[authorization_id]["flags"].setdefault(str(line), [])
        if not {"expired", "not_yet_effective", "days_outside"} & set(flags):
            flags.append("days_outside")


def _bounds(plan: ClaimPlan) -> dict[str, dict[str, list[int | str | None]]]:
    return {
        name: {
            base: [bounds.units, bounds.amount, bounds.days, bounds.unit]
            for base, bounds in drawable.bounds.items()
        }
        for name, drawable in plan.authorizations.items()
    }
