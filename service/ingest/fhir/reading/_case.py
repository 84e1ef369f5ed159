"""What one decision is read from, and what was decided of the whole and of each line.

That is the response, its request, and the items of both that belong together.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from service.ingest.fhir.base import terms
from service.ingest.fhir.base.documents import Documents
from service.ingest.fhir.base.node import NOTHING, Node
from service.ingest.fhir.base.primitives import capped, codings, numbered, plain, sequence

DETAIL_IS_REQUESTED_SINCE = (2, 2)

_VERSION = re.compile(r"davinci-pas/.*\|([0-9]{1,3})\.([0-9]{1,3})")
_R5 = frozenset({"decision", "event", "diagnosisRelatedGroup", "traceNumber", "supportingInfo"})
_R5_ITEM = frozenset({"reviewOutcome", "traceNumber", "productOrServiceEnd"})
_STU3 = ("requestProvider", "requestOrganization", "payeeReference")


def is_readable(response: Node) -> bool:
    """Whether a ClaimResponse is one of R4; R5 and STU3 mean other things by the same names."""
    keys = set(response.value) if isinstance(response.value, dict) else set()
    items = [*response.many("item"), *response.many("addItem")]
    if keys & _R5 or any(each.has(*_R5_ITEM) for each in items):
        response.error("fhir-r5", "content of FHIR R5, which is not read here: send R4 (4.0.1)")
        return False
    if response.has(*_STU3) or isinstance(response.get("outcome").value, dict):
        response.error("fhir-stu3", "content of FHIR STU3, which is not read here: send R4 (4.0.1)")
        return False
    return True


def version_of(response: Node, pack: Node) -> tuple[int, int] | None:
    """The version of the guide: the one that a profile names, else by what only it has.

    None where nothing tells.
    """
    for resource in (response, pack):
        for profile in resource.get("meta").many("profile"):
            named = _VERSION.search(plain(profile.value))
            if named:
                return int(named[1]), int(named[2])
    items, added = response.many("item"), response.many("addItem")
    if response.extension("claimResponseReviewer") or response.many("adjudication"):
        return 2, 2
    newer = ("itemCategory", "revenueCode", "admissionDates", "serviceItemRequestType")
    if any(each.extension(name) for each in (*items, *added) for name in newer):
        return 2, 2
    older = ("itemAuthorizedDate", "reviewAction")
    return (1, 1) if any(each.extension(name) for each in items for name in older) else None


def detail_is_requested(version: tuple[int, int] | None) -> bool:
    """Whether ``itemAuthorizedDetail`` beside an added item repeats what was requested.

    From 2.2 on; in 2.0 and 2.1 it says what was granted. An unknown version is read as a new one.
    """
    return version is None or version >= DETAIL_IS_REQUESTED_SINCE


def type_code(resource: Node) -> str:
    """The type of a claim or response: professional, institutional, oral ..."""
    return next((each.code.lower() for each in codings(resource.get("type"))), "")


Setting = Literal["inpatient", "outpatient", "professional", "dental"]

_PENDED = "A4"
_CANCELLATION = "3"
_CONFIRMS = frozenset({"A1", "C", None})
_VOID_STATUSES = frozenset({"cancelled", "entered-in-error"})


@dataclass(slots=True)
class Case:
    """A ClaimResponse with the Claim that it answers, where that is in the document.

    ``named`` is the id and version of the authorization, once they are known; ``rejected`` are the
    reasons for which the payer did not look.
    """

    response: Node
    request: Node
    documents: Documents
    version: tuple[int, int] | None = None
    setting: Setting = "professional"
    attached: dict[str, Any] = field(default_factory=dict)
    named: tuple[str, int] | None = None
    rejected: tuple[str, ...] | None = None

    @property
    def is_institutional(self) -> bool:
        """Whether its places are bill types and its revenue codes count."""
        return self.setting in ("inpatient", "outpatient")


@dataclass(slots=True)
class Item:
    """One line: what was asked, what was answered, what was granted instead.

    ``answer`` is ClaimResponse.item, ``added`` the addItem that stands for it, and ``asked`` is
    Claim.item.
    """

    case: Case
    line: int
    answer: Node = NOTHING
    added: Node = NOTHING
    asked: Node = NOTHING
    inherited: str | None = None
    action: str | None = None

    @property
    def node(self) -> Node:
        """The part that findings about the line as a whole point to."""
        return self.added or self.answer or self.asked

    @property
    def detail(self) -> Node:
        """What ``itemAuthorizedDetail`` says of the item."""
        return self.answer.extension("itemAuthorizedDetail")

    @property
    def is_granting(self) -> bool:
        """Whether something was certified, by the line or by what it inherits."""
        return (self.action or self.inherited) in terms.GRANTING

    @property
    def detail_is_requested(self) -> bool:
        """Whether the detail repeats the request, since an added item says what was granted."""
        return bool(self.added) and detail_is_requested(self.case.version)

    def extension(self, name: str) -> Node:
        """An extension of the answer; that of the added item comes first."""
        return self.added.extension(name) or self.answer.extension(name)


def pair(case: Case) -> list[Item]:
    """Bring together what belongs to one line, by the number of the item.

    An added item stands for the item whose number it names, unless that one was denied or cancelled
    and the added one is another service: then both are lines. Without any answered item the lines
    are those of the request.
    """
    asked = _asked(case)
    used: dict[int, Item] = {}
    late: list[Item] = []
    for at, answer in enumerate(case.response.many("item"), start=1):
        named = sequence(answer.get("itemSequence"))
        if named is None:
            message = "an item needs its itemSequence: numbered by its place"
            answer.warn("item-without-sequence", message)
        item = Item(case, named or at, answer=answer, asked=asked.get(named or at, NOTHING))
        if item.line in used:
            late.append(item)
        else:
            used[item.line] = item
    for added in case.response.many("addItem"):
        _add(case, added, asked, used, late)
    if not used and not late:
        for number, each in asked.items():
            used[number] = Item(case, number, asked=each)
    top = max([*used, *asked], default=0)
    for at, item in enumerate(late, start=1):
        item.line = top + at
    return [*(used[number] for number in sorted(used)), *late]


def unanswered(case: Case, items: Iterable[Item]) -> list[Item]:
    """What was asked and not answered, beside items that were."""
    answered = {item.line for item in items}
    asked = _asked(case)
    return [
        Item(case, number, asked=each) for number, each in asked.items() if number not in answered
    ]


def _add(
    case: Case, added: Node, asked: dict[int, Node], used: dict[int, Item], late: list[Item]
) -> None:
    named = [number for each in added.many("itemSequence") if (number := sequence(each))]
    for number in named:
        item = used.get(number)
        if item is not None and not item.added and _stands_for(added, item):
            item.added = added
            return
    number = next((each for each in named if each not in used), None)
    item = Item(case, number or 0, added=added, asked=asked.get(number or 0, NOTHING))
    if number is None:
        late.append(item)
    else:
        used[number] = item


def _stands_for(added: Node, item: Item) -> bool:
    refused = action_of(item.answer)[0] in ("A3", "C")
    if not refused:
        return True
    # The same codes are read, and found wrong, again with the line: nothing is noted of them here.
    other = terms.service(added.quiet().get("productOrService"))
    own = terms.service(item.asked.quiet().get("productOrService"))
    own = own or terms.service(item.detail.quiet().extension("productOrServiceCode"))
    return not other or not own or other == own


def _asked(case: Case) -> dict[int, Node]:
    """The items of the request by their number; the first of those that have the same."""
    found: dict[int, Node] = {}
    for number, each in numbered(case.request.many("item")):
        found.setdefault(number, each)
    return found


def reviews_of(node: Node) -> list[Node]:
    """The review actions of an item or response: of its adjudication, in old ones its own."""
    parts = (*node.many("adjudication"), node)
    return [found for part in parts for found in part.extensions("reviewAction")]


def review_of(node: Node) -> Node:
    """The first review action of an item or response."""
    return next(iter(reviews_of(node)), NOTHING)


def action_of(node: Node) -> tuple[str | None, str | None]:
    """The action code, and a code that is none of them as it was sent.

    Several that disagree decide nothing for sure: pended.
    """
    concepts = [
        each.extension("reviewActionCode")
        or each.extension("code")
        or each.choice("value")
        or _action_in_reason(each)
        for each in reviews_of(node)
    ]
    sent = [plain(each.code).upper() for concept in concepts for each in codings(concept)]
    known = [each for each in sent if each in terms.ACTIONS]
    concept = next(iter(concepts), NOTHING)
    if len(set(known)) > 1:
        message = "several action codes that differ: taken as pended (A4)"
        concept.warn("actions-differ", message)
        return _PENDED, None
    if known:
        return known[0], None
    if sent:
        message = "not an action code (A1 A2 A3 A4 A6 CT NA C): the decision stays unknown"
        concept.warn("action-unknown", message)
    return None, (sent[0] if sent else None)


def _action_in_reason(review: Node) -> Node:
    """The reason of a review that is an action by its code system: some write it there alone."""
    found = (each.choice("value") for each in review.extensions("reasonCode"))
    reason = next(filter(terms.is_action, found), NOTHING)
    if reason:
        reason.warn("action-in-reason", "an action code in place of a reason: it decides")
    return reason


def decide(case: Case, items: list[Item]) -> str | None:
    """Settle the action of the header, if it has one, and of every line.

    ``outcome`` is not asked: it says how far the processing is, and is "complete" on a denial and
    on a pended request alike. A line inherits the header's action, unless its own is unknown.
    """
    header, unknown = action_of(case.response)
    sent = [unknown] if unknown else []
    is_sent_unknown = {id(item) for item in items if _settle(item, sent)}
    if header is None and not sent and not any(item.action for item in items):
        header = _of_disposition(case)
    if plain(case.response.get("status").value) in _VOID_STATUSES:
        header = "C"
    if sent:
        case.attached["review_actions_unknown"] = capped(sent, 20, case.response)
    if header is not None and is_sent_unknown and header != "C":
        # Nothing is inherited by a line whose own code could not be read: what it says is unknown.
        for item in items:
            if item.action is None and id(item) not in is_sent_unknown:
                item.action = header
        header = None
    for item in items:
        item.inherited = header if header != "A2" else "A4"
        _cancel(item)
    if header is None and items and all(item.action == "C" for item in items):
        header = "C"
    if header is None and not sent and not any(item.action for item in items):
        message = "no review action and no disposition that says it: the decision is unknown"
        case.response.warn("decision-missing", message)
    return header


def _settle(item: Item, sent: list[str]) -> bool:
    """Set the line's own action; True when it has one that is unknown.

    What was added says what was granted; beside an item that is modified it stays a modification.
    """
    added, unknown_added = action_of(item.added)
    answered, unknown = action_of(item.answer)
    if added is not None:
        is_modified = answered == "A6" and added in terms.GRANTING
        item.action = "A6" if is_modified else added
        return False
    if unknown_added:
        sent.append(unknown_added)
        return True
    item.action = answered
    if unknown:
        sent.append(unknown)
    return bool(unknown)


def _of_disposition(case: Case) -> str | None:
    node = case.response.get("disposition")
    action = terms.DISPOSITIONS.get(plain(node.value).lower().rstrip("."))
    if action:
        message = "no review action: the decision was taken from the text of the disposition"
        node.warn("decision-from-disposition", message)
    return action


def _cancel(item: Item) -> None:
    """Make void what was cancelled: marked as such, and confirmed by A1, by C, or not answered."""
    parts = (item.added, item.answer, item.asked)
    marked = any(each.extension("infoCancelled").value is True for each in parts)
    types = [
        each.code for part in parts for each in codings(part.extension("certificationType"))
    ] or [each.code for each in codings(item.case.request.extension("certificationType"))]
    if not marked and _CANCELLATION not in types:
        return
    effective = item.action or item.inherited
    if effective in _CONFIRMS:
        item.action = "C"
        item.node.tell("certification-cancelled", "the item was cancelled")


def is_rejected(case: Case, items: list[Item]) -> bool:
    """Whether the payer refused to look at the request: errors, and no decision anywhere.

    That is no denial: nothing is stored.
    """
    errors = case.response.many("error")
    if not errors and case.response.get("outcome").value != "error":
        return False
    parts = [case.response, *(part for item in items for part in (item.added, item.answer))]
    if any(any(action_of(part.quiet())) for part in parts):
        return False
    if terms.DISPOSITIONS.get(plain(case.response.get("disposition").value).lower()):
        return False
    where = errors[0] if errors else case.response.get("outcome")
    codes = [one.code for each in errors for one in codings(each.get("code"))][:5]
    case.rejected = tuple(each for each in codes if len(each) <= 5 and each.isalnum())
    listed = ", ".join(case.rejected)
    message = "the request was rejected before a decision: this is no denial, nothing is stored"
    where.warn("request-rejected", message + (f" (901: {listed})" if listed else ""))
    return True
