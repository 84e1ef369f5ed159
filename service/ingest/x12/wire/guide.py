"""Which transaction a message is: ST03 is trusted first, then GS08, then what it holds.

Senders leave ST03 out, and write another guide into GS08 than the message follows; a guide that
does not fit the transaction set (ST01) is passed over, but where it alone tells the release.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal[
    "278-request",
    "278-response",
    "278-inquiry",
    "278-notification",
    "278-acknowledgement",
    "837",
    "837P",
    "837I",
    "837D",
    "other",
]
"""``837`` alone is told by its lines (SV1, SV2, SV3)."""

_GUIDE = re.compile(r"(00\d{4})(X\d{3})?(?:[A-Z]\d)?.*")
_SETS: dict[str, dict[str, Kind]] = {
    "278": {
        "X217": "278-request",
        "X215": "278-inquiry",
        "X216": "278-notification",
        "X094": "278-request",
    },
    "837": {
        "X222": "837P",
        "X223": "837I",
        "X224": "837D",
        # Predeterminations (professional, institutional); claims that were adjudicated before.
        "X291": "837P",
        "X292": "837I",
        "X298": "837P",
        "X299": "837I",
        "X300": "837D",
        "X098": "837P",
        "X096": "837I",
        "X097": "837D",
    },
}
_PREDETERMINATIONS = frozenset({"X291", "X292"})
_RELEASE = "00501"
_FORMER_RELEASES = ("00401", "00402", "00403", "00404")
_REQUEST, _RESPONSE, _INQUIRY = "13", "11", "28"
_ACKNOWLEDGING = frozenset({"06", "08", "44"})
"""BHT02 of what is answered to a notification: confirmed, its status, refused."""

_GROUPS = {"278": "HI", "837": "HC"}
"""The functional group (GS01) of a transaction set."""

_FORMER_STRUCTURE = "0078"
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Guide:
    """What a transaction set is, by which guide, and what is to be said of it."""

    kind: Kind
    name: str
    problems: tuple[str, ...] = ()
    refusal: str | None = None
    is_predetermination: bool = False


@lru_cache(_REMEMBERED)
def identify(
    set_id: str, named: str, of_group: str, structure: str, purpose: str, functional_id: str = ""
) -> Guide:
    """Tell a transaction by ST01, ST03, GS08, BHT01 and BHT02; ``refusal`` if it is not read.

    GS01 that is of another transaction is told.
    """
    problems, name, form = _named(set_id, named, of_group)
    if functional_id and functional_id != _GROUPS.get(set_id, functional_id):
        problems.append("group-mismatch")
    if set_id not in _SETS:
        return Guide("other", name, refusal="set-not-supported")
    if not form:
        problems.append("guide-missing")
    kind: Kind = _SETS[set_id].get(form, "278-request" if set_id == "278" else "837")
    refusal = _release(name, structure)
    if set_id == "278" and refusal is None:
        kind, refusal = _review(kind, purpose)
        if kind == "278-inquiry":
            problems.append("inquiry")
    return Guide(kind, name, tuple(dict.fromkeys(problems)), refusal, form in _PREDETERMINATIONS)


def _named(set_id: str, named: str, of_group: str) -> tuple[list[str], str, str]:
    """The guide that ST03, else GS08 names for a set; what else they name is told."""
    problems: list[str] = []
    name, form, other = "", "", ""
    for given in (named, of_group):
        found = _GUIDE.fullmatch(given.strip().upper())
        if found is None:
            continue
        if found[2] is None:
            name = name or found[0]
        elif not form and found[2] in _SETS.get(set_id, {}):
            name, form = found[0], found[2]
        elif found[2] != form:
            problems.append("guide-mismatch")
            other = other or found[0]
    if not name and not other.startswith(_RELEASE):
        name = other
    return problems, name, form


def _release(name: str, structure: str) -> str | None:
    if name.startswith(_FORMER_RELEASES) or (not name and structure == _FORMER_STRUCTURE):
        return "release-4010"
    if name and not name.startswith(_RELEASE):
        return "release-not-supported"
    return None


def _review(kind: Kind, purpose: str) -> tuple[Kind, str | None]:
    """BHT02 decides: a request echoes nearly all that a response has."""
    if kind == "278-notification":
        return ("278-acknowledgement" if purpose in _ACKNOWLEDGING else kind), None
    if purpose == _INQUIRY or (kind == "278-inquiry" and purpose == _REQUEST):
        return "278-inquiry", None
    if purpose == _RESPONSE:
        return "278-response", None
    if purpose == _REQUEST:
        return "278-request", None
    return kind, "purpose-unknown"
