"""Which version of FHIR and of the PAS guide a response follows."""

import re

from service.ingest.fhir.base.issue import Issues
from service.ingest.fhir.base.node import Node
from service.ingest.fhir.base.primitives import codings, plain

DETAIL_IS_REQUESTED_SINCE = (2, 2)

_VERSION = re.compile(r"davinci-pas/.*\|([0-9]{1,3})\.([0-9]{1,3})")
_R5 = frozenset({"decision", "event", "diagnosisRelatedGroup", "traceNumber", "supportingInfo"})
_R5_ITEM = frozenset({"reviewOutcome", "traceNumber", "productOrServiceEnd"})
_STU3 = ("requestProvider", "requestOrganization", "payeeReference")


def is_readable(response: Node, issues: Issues) -> bool:
    """Whether a ClaimResponse is one of R4; R5 and STU3 mean other things by the same names."""
    keys = set(response.value) if isinstance(response.value, dict) else set()
    items = [*response.many("item"), *response.many("addItem")]
    if keys & _R5 or any(each.has(*_R5_ITEM) for each in items):
        message = "content of FHIR R5, which is not read here: send R4 (4.0.1)"
        issues.error(response, "fhir-r5", message)
        return False
    if response.has(*_STU3) or isinstance(response.get("outcome").value, dict):
        message = "content of FHIR STU3, which is not read here: send R4 (4.0.1)"
        issues.error(response, "fhir-stu3", message)
        return False
    return True


def version_of(response: Node, pack: Node) -> tuple[int, int] | None:
    """Give the version of the guide: the one that a profile names, else by what only it has.

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
    """Give the type of a claim or response: professional, institutional, oral ..."""
    return next((each.code.lower() for each in codings(resource.get("type"))), "")
