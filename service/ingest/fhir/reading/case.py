"""What one decision is read from: the response, its request, and the items that belong together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from service.ingest.fhir.base import guide, terms
from service.ingest.fhir.base.documents import Documents
from service.ingest.fhir.base.issue import Issues
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import codings, plain, sequence

Setting = Literal["inpatient", "outpatient", "professional", "dental"]
NOTHING = Node(None)


@dataclass(slots=True)
class Case:
    """A ClaimResponse with the Claim that it answers, where that is in the document.

    ``named`` is the id and version of the authorization, once they are known.
    """

    response: Node
    request: Node
    documents: Documents
    issues: Issues
    version: tuple[int, int] | None = None
    setting: Setting = "professional"
    attached: dict[str, Any] = field(default_factory=dict)
    named: tuple[str, int] | None = None

    @property
    def is_institutional(self) -> bool:
        """Whether its places are bill types and its revenue codes count."""
        return self.setting in ("inpatient", "outpatient")

    def resolve(self, reference: Node) -> Node | None:
        """Give what a reference names."""
        return self.documents.resolve(reference) if reference else None

    def capped(self, values: Iterable[Any], most: int, node: Node) -> list[Any]:
        """Give each value once, and not more of them than the model takes."""
        kept = list(dict.fromkeys(each for each in values if each))
        if len(kept) > most:
            message = f"more than {most} values: the rest is left out"
            self.issues.warn(node, "too-many", message)
        return kept[:most]


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
        return bool(self.added) and guide.detail_is_requested(self.case.version)

    def extension(self, name: str) -> Node:
        """Give an extension of the answer; that of the added item comes first."""
        return self.added.extension(name) or self.answer.extension(name)


def pair(case: Case) -> list[Item]:
    """Bring together what belongs to one line, by the number of the item.

    An added item stands for the item whose number it names, unless that one was denied or cancelled
    and the added one is another service: then both are lines. Without any answered item the lines
    are those of the request.
    """
    asked = _numbered(case.request.many("item"), "sequence")
    used: dict[int, Item] = {}
    late: list[Item] = []
    for at, answer in enumerate(case.response.many("item"), start=1):
        named = sequence(answer.get("itemSequence"))
        if named is None:
            message = "an item needs its itemSequence: numbered by its place"
            case.issues.warn(answer, "item-without-sequence", message)
        item = Item(case, named or at, answer=answer, asked=asked.get(named or at, NOTHING))
        _place(item, used, late)
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
    """Give what was asked and not answered, beside items that were."""
    answered = {item.line for item in items}
    asked = _numbered(case.request.many("item"), "sequence")
    return [
        Item(case, number, asked=each) for number, each in asked.items() if number not in answered
    ]


def _place(item: Item, used: dict[int, Item], late: list[Item]) -> None:
    if item.line in used:
        late.append(item)
    else:
        used[item.line] = item


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
    refused = action_of(item.answer, item.case.issues)[0] in ("A3", "C")
    if not refused:
        return True
    quiet = Issues()  # the same codes are read, and found wrong, again with the line
    other = terms.service(added.get("productOrService"), quiet)
    own = terms.service(item.asked.get("productOrService"), quiet) or terms.service(
        item.detail.extension("productOrServiceCode"), quiet
    )
    return not other or not own or other == own


def _numbered(nodes: list[Node], name: str) -> dict[int, Node]:
    found: dict[int, Node] = {}
    for at, each in enumerate(nodes, start=1):
        found.setdefault(sequence(each.get(name)) or at, each)
    return found


def review_of(node: Node) -> Node:
    """Give the review action of an item or response: of its adjudication, in old ones its own."""
    for each in [*node.many("adjudication"), node]:
        found = next(each.extensions("reviewAction"), None)
        if found is not None:
            return found
    return NOTHING


def action_of(node: Node, issues: Issues) -> tuple[str | None, str | None]:
    """Give the action code, and a code that is none of them as it was sent."""
    review = review_of(node)
    concept = review.extension("reviewActionCode") or review.extension("code")
    sent = [plain(each.code).upper() for each in codings(concept)]
    known = [each for each in sent if each in terms.ACTIONS]
    if len(set(known)) > 1:
        message = "several action codes that differ: the first was taken"
        issues.warn(concept, "actions-differ", message)
    if known:
        return known[0], None
    if sent:
        message = "not an action code (A1 A2 A3 A4 A6 CT NA C): the decision stays unknown"
        issues.warn(concept, "action-unknown", message)
    return None, (sent[0] if sent else None)
