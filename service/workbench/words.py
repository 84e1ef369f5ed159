"""Codes in words, for people who look; what they mean is decided elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from service.api.problem import Refused
from service.application.maintenance import Readiness
from service.application.overview import Status
from service.domain.alert import AlertKind
from service.domain.answers import Disposition
from service.domain.request_life import RequestStatus
from service.domain.work_item import ItemKind
from service.domain.worklist_table import Action

ACTIONS: Mapping[str, str] = {
    "A1": "certified",
    "A2": "certified in part",
    "A3": "not certified",
    "A4": "pended",
    "A6": "modified",
    "CT": "contact the payer",
    "NA": "not needed",
    "C": "cancelled",
}
"""HCR01, the action of a reviewer."""

DISPOSITIONS: Mapping[Disposition, tuple[str, str]] = {
    "pay": ("Paid", "good"),
    "cut_back": ("Cut back", "part"),
    "suspend": ("Suspended", "wait"),
    "deny": ("Denied", "bad"),
    "void": ("Void", "gone"),
}
"""What becomes of a line, and the tone in which it is shown."""

STATUSES: Mapping[Status, tuple[str, str]] = {
    "ACTIVE": ("Active", "good"),
    "PENDING": ("Pending", "wait"),
    "EXHAUSTED": ("Exhausted", "part"),
    "EXPIRED": ("Expired", "gone"),
    "UPCOMING": ("Not begun", "wait"),
    "DENIED": ("Denied", "bad"),
    "SUPERSEDED": ("Superseded", "gone"),
    "VOID": ("Void", "gone"),
}

CLASSES: Mapping[str, tuple[str, str]] = {
    "exact": ("Exact", "good"),
    "non-exact": ("Non-exact", "part"),
    "none": ("No match", "gone"),
}

SEVERITIES: Mapping[str, str] = {"error": "bad", "warning": "part", "information": "wait"}

CLAIM_STATUSES: Mapping[str, tuple[str, str]] = {
    "used": ("Units used", "good"),
    "reserved": ("Units reserved", "wait"),
    "suspended": ("Suspended", "wait"),
    "reversed": ("Reversed", "gone"),
    "released": ("Released", "gone"),
    "replaced": ("Replaced", "gone"),
    "void": ("Void", "gone"),
}

KINDS: Mapping[str, str] = {
    "apply": "adjudicated",
    "reserve": "adjudicated, units reserved",
    "readjudicate": "adjudicated anew",
    "finalize": "made final",
    "release": "released",
    "reverse": "reversed",
    "adjust": "adjusted",
    "correct": "corrected by hand",
    "amend": "limits changed by a push",
    "replace": "adjudicated in place of another",
    "void": "voided",
    "recount": "counted anew",
}
"""What an entry of the ledger is."""

SETS: Mapping[str, tuple[str, str]] = {
    "active": ("In force", "good"),
    "scheduled": ("Scheduled", "wait"),
    "past": ("Past", "gone"),
}

DRAFTS: Mapping[str, tuple[str, str]] = {
    "draft": ("Draft", "wait"),
    "evaluated": ("Evaluated", "part"),
    "in review": ("In review", "wait"),
    "approved": ("Approved", "good"),
    "published": ("Published", "good"),
    "dropped": ("Given up", "gone"),
}

JOBS: Mapping[str, tuple[str, str]] = {
    "waiting": ("Waits", "wait"),
    "running": ("Is made", "wait"),
    "done": ("Done", "good"),
    "failed": ("Failed", "bad"),
}

LETTERS: Mapping[str, tuple[str, str]] = {
    "open": ("Open", "wait"),
    "resolved": ("Resolved", "good"),
    "dropped": ("Dropped", "gone"),
}

REQUESTS: Mapping[RequestStatus, tuple[str, str]] = {
    "DRAFT": ("Not sent", "gone"),
    "PENDING": ("Pending", "wait"),
    "PENDED": ("In review", "wait"),
    "APPROVED": ("Approved", "good"),
    "MODIFIED": ("Approved, modified", "part"),
    "DENIED": ("Denied", "bad"),
    "CANCELLED": ("Cancelled", "gone"),
    "NOT_REQUIRED": ("Not needed", "good"),
    "REFUSED": ("Refused, not looked at", "bad"),
}

FOLLOWING: Mapping[str, str] = {
    "I": "Rebuild it as a new one",
    "R": "Renew",
    "S": "Revise",
    "4": "Extend",
    "1": "Appeal at once",
    "2": "Appeal",
    "N": "Ask to reconsider",
    "3": "Cancel",
}
"""What may follow on a request (UM02), as what a button does."""

OFFERS: Mapping[str, tuple[str, str]] = {
    "offered": ("Offered", "wait"),
    "attached": ("Attached", "good"),
    "attached to another": ("Attached to another", "part"),
    "billed": ("Billed", "good"),
}

ALERTS: Mapping[AlertKind, tuple[str, str]] = {
    "used": ("Mostly used", "part"),
    "left": ("Few left", "part"),
    "negative": ("Overdrawn", "bad"),
    "ending": ("Ends soon", "wait"),
    "decision-due": ("To be decided", "bad"),
    "pended": ("Pended for long", "wait"),
    "document-missing": ("Without a document", "part"),
    "follow-up": ("To be followed up", "wait"),
    "appeal": ("To be appealed", "bad"),
}

ITEMS: Mapping[ItemKind, str] = {
    "suspended": "Suspended line",
    "review": "Review",
    "late-authorization": "Late authorization",
    "freed-units": "Units came back",
    "falls-outside": "Falls outside",
    "negative-balance": "Negative balance",
    "duplicate": "Duplicate grant",
    "overlap": "Overlapping grants",
    "dead-letter": "Dead letter",
}

RESOLUTIONS: Mapping[Action, tuple[str, str]] = {
    "select": ("Apply", "Draw the line from what is chosen, in its order."),
    "override": ("Use in spite of its decision", "The same, also of what is denied or pended."),
    "deny": ("Deny the line", "With one of the adjustments that fit."),
    "replace": ("Raise another event", "Instead of those that stop the line."),
    "readjudicate": ("Adjudicate anew", "The whole claim, as it was sent, with what was decided."),
    "request-information": ("Ask for information", "It waits until a day."),
    "no-action": ("Leave it as it is", "It may come back."),
}
"""What is on the button of an action, and what it does."""

_LISTS = ("criteria", "require", "exact")
"""Keys of a template under which things with names stand."""

_ADVICE: Mapping[int, str] = {
    400: "Nothing was changed. Go back and send the form again.",
    401: "Nothing was changed. Sign in.",
    403: "Nothing was changed. Ask whoever gives out access if you need this.",
    404: "Nothing was changed. Check how it is written, or search for it.",
    409: "Nothing of yours was changed. Look at it as it stands now, then decide again.",
    412: "Nothing of yours was changed. Look at it as it stands now, then decide again.",
    413: "Nothing was changed. Send less at once.",
    422: "Nothing was changed. Go back: what you typed is still there.",
    429: "Nothing was changed. Wait a moment, then try again.",
    503: (
        "What was stored before is safe, and no answer was made up. Try again in a moment: "
        "the same again is never counted twice."
    ),
}
_ANY = (
    "What was stored before is safe. Try again; if it comes again, tell those who run the service."
)


def advice(refused: Refused) -> str:
    """What was kept, and what to do."""
    return _ADVICE.get(refused.status, _ANY)


def toned(table: Mapping[Any, tuple[str, str]], code: object) -> tuple[str, str]:
    """The words and the tone of a code; one that nobody foresaw stands for itself."""
    return table.get(code, (str(code).replace("_", " "), "gone"))


def worded(table: Mapping[str, str], code: str | None) -> str:
    """The words of a code with the code; one that is not known stands alone."""
    if code is None:
        return "not known"
    return f"{table[code]} ({code})" if code in table else code


def readable(code: object) -> str:
    """A name of the data as words."""
    return str(code).replace("_", " ").replace("-", " ")


def shown(value: object) -> str:
    """Both values of a criterion, as one reads them; nothing is a dash."""
    if value is None or value == "" or value == []:
        return "–"  # noqa: RUF001 - a dash is meant
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{readable(name)} {shown(each)}" for name, each in value.items() if each)
    return str(value).replace("..", " to ")


def days(span: Any) -> str:
    """From a first to a last day; an end that is open is said."""
    first, last = span.get("from"), span.get("to")
    return f"{first or 'any day'} to {last or 'open'}" if first or last else "no dates"


def moment(text: str | None) -> str:
    """A time of the ledger, to the minute."""
    if not text:
        return ""
    try:
        return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return text


def due(text: str, now: datetime) -> tuple[str, str]:
    """How long there is until an item is due, in words, and in the tone of how urgent that is."""
    left = datetime.fromisoformat(text) - now
    hours = int(left.total_seconds() // 3600)
    if hours < 0:
        days = -(hours + 1) // 24
        return (f"{days} days over" if days > 1 else "overdue"), "bad"
    if hours < 2 * 24:
        return f"in {hours} h", "bad" if hours < 24 else "part"
    days = hours // 24
    return f"in {days} days", "part" if days < 7 else "good"


def health(told: Readiness | None) -> list[tuple[str, str, str]]:
    """The engines in words: what, how it is, and the tone; nothing told is Elasticsearch away."""
    if told is None:
        return [("Matching", "Elasticsearch does not answer: nothing can be matched now", "bad")]
    units = told["adjudication"]
    outbox, rules = told["outbox"], told["rules"]
    waits = "some wait to be stored" if outbox else "whether some wait is not known"
    found = [
        ("Matching", "claims are matched", "good"),
        (
            "Units",
            "units are drawn" if units == "ready" else f"no units are drawn: {units}",
            "good" if units == "ready" else "bad",
        ),
        (
            "Pushes",
            "all are stored" if outbox == "empty" else waits,
            "good" if outbox == "empty" else "part",
        ),
    ]
    if told["closed"]:
        found.append(("Writes", f"indices take none: {', '.join(told['closed'])}", "bad"))
    if rules is not None and rules["behind"]:
        found.append(("Rules", f"newer rules are not loaded: {rules['behind']}", "bad"))
    return found


def share(part: str | None, whole: str | None) -> float:
    """How much of a whole a part is, in hundredths between 0 and 100; nothing of nothing is 0."""
    try:
        of = float(whole or 0)
        return max(0.0, min(100.0, 100 * float(part or 0) / of)) if of else 0.0
    except ValueError:
        return 0.0


def position(day: str | None, first: date, last: date) -> float:
    """Where a day stands between two others, in hundredths; an open end is an end."""
    if not day:
        return 100.0
    whole = max(1, (last - first).days)
    return max(0.0, min(100.0, 100 * (date.fromisoformat(day[:10]) - first).days / whole))


def key(path: Sequence[str]) -> tuple[str, str]:
    """A key of a template in words: what it is of, and what it says of that."""
    whole = 2 if len(path) > 2 and path[0] in _LISTS else 1 if len(path) > 1 else 0
    said = [each for each in path[whole:] if each != "levels"]
    of = readable(" ".join(path[:whole])).capitalize()
    return of or "The template", readable(": ".join(said))
