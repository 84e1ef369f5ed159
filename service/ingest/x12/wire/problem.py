"""What is wrong with a message, as values: where it is, which rule it breaks, never what it says.

A message may hold names, ids and diagnoses. So a problem has a place and a fixed text, and nothing
of the message itself but the ids of its segments and the numbers of its elements. The rules have
the codes of the acknowledgements that report them.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from service.ingest.x12.wire.segment import Segment

Severity = Literal["warning", "error"]
"""A warning leaves the reading as it is; an error says that something was left out."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that a message can break, with the codes of the 999 and the TA1 where they have one.

    ``ik3`` is element 620 (a segment), ``ik4`` 621 (an element), ``ik5`` 618 (a transaction set),
    ``ak9`` 716 (a functional group), ``ta1`` I18 (an interchange). Where a segment is missing,
    ``missing`` is its id, and what is wrong stands where it was noticed.
    """

    severity: Severity
    text: str
    ik3: str = ""
    ik4: str = ""
    ik5: str = ""
    ak9: str = ""
    ta1: str = ""
    missing: str = ""


def _element(severity: Severity, text: str, ik4: str) -> Rule:
    return Rule(severity, text, ik3="8", ik4=ik4)


def _missing(severity: Severity, segment_id: str, text: str) -> Rule:
    return Rule(severity, text, ik3="3", missing=segment_id)


RULES: dict[str, Rule] = {
    # The stream
    "empty": Rule("error", "there is nothing in it"),
    "no-interchange": Rule("error", "there is no ISA segment: this is not X12"),
    "noise": Rule("warning", "text outside of an interchange was passed over"),
    "isa-missing": Rule("warning", "no ISA segment: the usual separators are taken", ta1="022"),
    "isa-short": Rule("warning", "the ISA segment has less than 16 elements", ta1="022"),
    "isa-unreadable": Rule("error", "the separators cannot be told from this ISA", ta1="022"),
    "segment-too-long": Rule("error", "a segment is longer than allowed: left out", ik3="8"),
    # The envelopes
    "iea-missing": Rule("warning", "the interchange does not end with IEA", ta1="023"),
    "iea-number": Rule("warning", "IEA02 is not the control number of ISA13", ta1="001"),
    "iea-count": Rule("warning", "IEA01 is not the number of functional groups", ta1="021"),
    "gs-missing": Rule("warning", "a transaction set stands outside of a functional group"),
    "ge-missing": Rule("warning", "the functional group does not end with GE", ak9="3"),
    "ge-number": Rule("warning", "GE02 is not the control number of GS06", ak9="4"),
    "ge-count": Rule("warning", "GE01 is not the number of transaction sets", ak9="5"),
    "se-missing": Rule("warning", "the transaction set does not end with SE", ik5="2"),
    "se-number": Rule("warning", "SE02 is not the control number of ST02", ik5="3"),
    "se-count": Rule("warning", "SE01 is not the number of segments", ik5="4"),
    "truncated": Rule("error", "a transaction set breaks off: its last part is left out", ik5="2"),
    "outside": Rule("warning", "a segment outside of a transaction set was passed over"),
    "too-many-problems": Rule("warning", "there are more problems than are listed"),
    # The kind of transaction
    "set-not-supported": Rule("error", "this transaction set is not read here", ik5="1"),
    "release-4010": Rule("error", "this is release 004010; 005010 is read", ik5="I6"),
    "release-not-supported": Rule("error", "this release is not read here; 005010 is", ik5="I6"),
    "inquiry": Rule("warning", "a 278 inquiry decides nothing: it is answered, not stored"),
    "bht-missing": _missing("error", "BHT", "the transaction set does not begin with BHT"),
    "purpose-unknown": _element("error", "BHT02 is neither 13 (request) nor 11 (response)", "7"),
    "group-mismatch": Rule("warning", "GS01 is the functional group of another transaction"),
    "guide-mismatch": Rule("warning", "ST03 or GS08 names another guide than the content"),
    "guide-missing": Rule("warning", "neither ST03 nor GS08 names the guide: told by the content"),
    # The loops
    "hl-unread": _element("error", "what stands in an unknown level cannot be read", "7"),
    "hl-level": _element("warning", "HL03 names no level of this guide", "7"),
    "hl-parent": _element("warning", "HL02 does not name the level above: taken by order", "7"),
    "loop-implied": _missing(
        "warning", "HL", "an HL segment is missing: the level is taken by content"
    ),
    "segment-unknown": Rule("warning", "not a segment that is known: passed over", ik3="1"),
    "segment-misplaced": Rule("warning", "no segment of this loop: passed over", ik3="2"),
    "unit-too-long": Rule("error", "an event or claim has more segments than can be held", ik3="5"),
    # The elements
    "element-missing": _element("warning", "a required element is missing", "1"),
    "element-too-long": _element("warning", "an element is longer than can be kept: cut off", "5"),
    "code-invalid": _element("warning", "not a code that can be kept: left out", "7"),
    "code-unknown": _element("warning", "not a known code: kept as it stands", "7"),
    "date-invalid": _element("warning", "not a date: left out", "8"),
    "date-format": _element("warning", "the date is not of the format it claims to be", "8"),
    "period-reversed": _element("warning", "the period ends before it starts: left out", "8"),
    "number-invalid": _element("warning", "not a number that can be counted: left out", "6"),
    "npi-invalid": _element("warning", "not an NPI of ten digits: left out", "7"),
    "tin-invalid": _element("warning", "not a taxpayer number of nine digits: left out", "7"),
    "repeated": Rule("warning", "stands more than once: the first counts", ik3="5"),
    "separator-other": _element(
        "warning", "ISA16 does not cut the composite elements: all agree on another separator", "6"
    ),
    "separator-unclear": _element(
        "error", "the composite elements are not cut by one and the same separator", "6"
    ),
    # A 278
    "request-decides": Rule("warning", "a request has a decision (HCR): passed over", ik3="2"),
    "refused": Rule("warning", "the request was refused (AAA): nothing was decided"),
    "refused-and-decided": Rule(
        "warning", "both refused (AAA) and decided (HCR): the decision counts"
    ),
    "no-event": _missing("error", "HL", "a response without an event: nothing is decided in it"),
    "no-decision": _missing("error", "HCR", "a response without a decision (HCR)"),
    "no-member": _element("error", "no id of the member (NM109 of loop 2010C or 2010BA)", "1"),
    "member-id": _element("error", "the id of the member cannot be kept", "6"),
    "two-members": Rule(
        "error", "two members where one is expected: whose it is is not clear", ik3="5"
    ),
    "dependent": Rule(
        "warning", "the patient has no id of its own: the subscriber's stands for it"
    ),
    "no-dates": _element("error", "granted without a date of service or validity", "I9"),
    "dates-requested": Rule(
        "warning", "granted without a date: the days that its request asked for are taken"
    ),
    "undated-pended": _element("warning", "granted without a date: held as pended", "I9"),
    "line-refused": Rule("warning", "a service was refused (AAA): nothing was decided of it"),
    "no-number": Rule("warning", "no certification number: known by its trace number"),
    "no-identity": _element(
        "error", "neither certification nor trace number: it cannot be told from others", "I9"
    ),
    "number-repeated": Rule(
        "warning", "an earlier event has this certification number: known by both"
    ),
    "no-event-time": Rule("warning", "no time in BHT, GS or ISA: taken for the first version"),
    "cancellation-unclear": _element(
        "error", "a cancellation that is neither confirmed nor denied", "7"
    ),
    "line-unread": Rule("error", "a service line that cannot be read is left out", ik3="8"),
    "event-unread": Rule("error", "an event that cannot be read is left out", ik3="8"),
    "quantity-raw": Rule(
        "warning", "this HSD has no total or rate that can be counted: kept as it stands"
    ),
    "pattern-raw": _element(
        "warning", "a pattern of service that is not days of the week: kept as it stands", "7"
    ),
    "decisions-differ": Rule(
        "warning", "two decisions (HCR) that disagree: taken as pended", ik3="5"
    ),
    "provider-left-out": _element(
        "warning", "a provider beside one of a role that comes first: not kept", "7"
    ),
    "teeth-share": Rule("warning", "several teeth share a quantity: each may use all of it"),
    "provider-unidentified": Rule("warning", "a provider without NPI or taxpayer number"),
    "range-invalid": _element("warning", "not a range of codes: its first code counts", "7"),
    # An 837
    "claim-unread": Rule("error", "a claim that cannot be read is left out", ik3="8"),
    "no-claim-id": _element("error", "a claim without its id (CLM01)", "1"),
    "no-lines": _missing("error", "LX", "a claim without service lines (LX)"),
    "no-service-date": _missing(
        "error", "DTP", "a service line without a date, nor has its claim one"
    ),
    "estimate-undated": Rule(
        "warning", "a predetermination without a date of service: matched as of today"
    ),
    "no-service": Rule("warning", "a service line without its service (SV1, SV2, SV3)", ik3="3"),
    "line-number": _element("warning", "not the number of a line: numbered by order", "7"),
    "pointer": _element(
        "warning", "points to a diagnosis that the claim does not have: left out", "7"
    ),
    "facility-code": _element("warning", "CLM05-2 does not fit the type of the claim", "7"),
    "other-payer": Rule("warning", "a number of another payer (REF04 2U) is left out"),
    "claim-type": Rule(
        "warning", "the lines are of another type than ST03 or GS08 says: lines count"
    ),
    # Anything
    "not-accepted": Rule("error", "does not fit the data model", ik5="I5"),
}


CONSEQUENCES = frozenset({"event-unread", "line-unread", "claim-unread", "not-accepted"})
"""Problems that say what was left out because of another."""

_SEGMENT_ID = re.compile(r"[A-Z][A-Z0-9]{1,2}")
"""What begins a segment and is not of this form may be a piece of a name: it is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, and where: no word of the message itself.

    ``segment_index`` counts the segments of the file from 1, ``position`` those of the transaction
    set (ST is 1), ``byte_offset`` is that of the segment's first byte.
    """

    code: str
    segment_index: int = 0
    byte_offset: int = 0
    segment_id: str = ""
    position: int = 0
    loop: str = ""
    element: int | None = None
    component: int | None = None
    detail: str = ""

    @property
    def rule(self) -> Rule:
        """The rule that was broken."""
        return RULES[self.code]

    @property
    def severity(self) -> Severity:
        """Whether something was left out because of it."""
        return self.rule.severity

    @property
    def message(self) -> str:
        """The rule as a sentence."""
        return f"{self.rule.text} ({self.detail})" if self.detail else self.rule.text

    def as_json(self) -> dict[str, object]:
        """All of it, ready to be written as JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "segment": self.segment_id or None,
            "segment_index": self.segment_index,
            "byte_offset": self.byte_offset,
            "position": self.position or None,
            "loop": self.loop or None,
            "element": self.element,
            "component": self.component,
            "ik3": self.rule.ik3 or None,
            "ik4": self.rule.ik4 or None,
        }


class Findings:
    """Collects the problems of one transaction set, event or claim: each once, up to a number."""

    __slots__ = ("_known", "_more", "_start", "problems")

    LIMIT = 100

    def __init__(self, start_index: int = 0) -> None:
        self.problems: list[Problem] = []
        self._known: set[Problem] = set()
        self._start = start_index
        self._more = False

    def add(
        self,
        code: str,
        segment: Segment | None = None,
        element: int | None = None,
        *,
        loop: str = "",
        component: int | None = None,
        detail: str = "",
    ) -> None:
        """Note that a segment, or what it belongs to, breaks a rule."""
        if segment is None:
            self.extend((Problem(code=code, loop=loop, detail=detail),))
            return
        self._append(
            Problem(
                code=code,
                segment_index=segment.ordinal,
                byte_offset=segment.offset,
                segment_id=segment.id if _SEGMENT_ID.fullmatch(segment.id) else "",
                position=segment.ordinal - self._start + 1 if self._start else 0,
                loop=loop,
                element=element,
                component=component,
                detail=detail,
            )
        )

    def extend(self, problems: Iterable[Problem]) -> None:
        """Take problems that were found elsewhere."""
        for each in problems:
            self._append(each)

    def _append(self, problem: Problem) -> None:
        if problem in self._known:
            return
        self._known.add(problem)
        if len(self.problems) < self.LIMIT:
            self.problems.append(problem)
        elif not self._more:
            self._more = True
            self.problems.append(Problem(code="too-many-problems"))

    def has(self, *codes: str) -> bool:
        """Whether one of these rules was broken."""
        return any(each.code in codes for each in self.problems)
