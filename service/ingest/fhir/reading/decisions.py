"""What was decided, of the whole and of each line, and what a cancellation makes of it."""

from dataclasses import dataclass

from service.ingest.fhir.base import terms
from service.ingest.fhir.base.issue import Issues
from service.ingest.fhir.base.primitives import codings, plain
from service.ingest.fhir.reading.case import Case, Item, action_of

_CANCELLATION = "3"
_CONFIRMS = frozenset({"A1", "C", None})
_VOID_STATUSES = frozenset({"cancelled", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision of the header, if it has one."""

    action: str | None


def decide(case: Case, items: list[Item]) -> Decided:
    """Settle the action of the header and of every line.

    ``outcome`` is not asked: it says how far the processing is, and is "complete" on a denial and
    on a pended request alike. A line inherits the header's action, unless its own is unknown.
    """
    header, unknown = action_of(case.response, case.issues)
    sent = [unknown] if unknown else []
    is_sent_unknown = {id(item) for item in items if _settle(item, sent)}
    if header is None and not sent and not any(item.action for item in items):
        header = _of_disposition(case)
    if plain(case.response.get("status").value) in _VOID_STATUSES:
        header = "C"
    if sent:
        case.attached["review_actions_unknown"] = case.capped(sent, 20, case.response)
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
        case.issues.warn(case.response, "decision-missing", message)
    return Decided(header)


def _settle(item: Item, sent: list[str]) -> bool:
    """Give the line its own action; True when it has one that is unknown.

    What was added says what was granted; beside an item that is modified it stays a modification.
    """
    issues = item.case.issues
    added, unknown_added = action_of(item.added, issues)
    answered, unknown = action_of(item.answer, issues)
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
        case.issues.warn(node, "decision-from-disposition", message)
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
        message = "the item was cancelled"
        item.case.issues.tell(item.node, "certification-cancelled", message)


def is_rejected(case: Case, items: list[Item]) -> bool:
    """Whether the payer refused to look at the request: errors, and no decision anywhere.

    That is no denial: nothing is stored.
    """
    errors = case.response.many("error")
    if not errors and case.response.get("outcome").value != "error":
        return False
    quiet = Issues()
    parts = [case.response, *(part for item in items for part in (item.added, item.answer))]
    if any(any(action_of(part, quiet)) for part in parts):
        return False
    if terms.DISPOSITIONS.get(plain(case.response.get("disposition").value).lower()):
        return False
    where = errors[0] if errors else case.response.get("outcome")
    codes = [one.code for each in errors for one in codings(each.get("code"))][:5]
    listed = ", ".join(each for each in codes if len(each) <= 5 and each.isalnum())
    message = "the request was rejected before a decision: this is no denial, nothing is stored"
    case.issues.warn(where, "request-rejected", message + (f" (901: {listed})" if listed else ""))
    return True
