"""What examiners decide about lines that wait, as the tests say it."""

from typing import Any

from service.access.scopes import ALL
from service.access.subject import Subject
from service.application import resolutions, worklist
from service.application.parts import Caller, caller_for
from service.application.worklist import Wanted
from service.domain.decision import Resolution
from service.domain.work_item import WorkItem, line_item
from tests.late.office import Office

ELSEWHEN: dict[str, Any] = {"lines": [{"effective": {"from": "2026-03-20", "to": "2026-04-20"}}]}
"""Valid later than the service: no match by itself, and one that an examiner may select."""
ITEM = line_item("C-1", 1)
SELECTED: dict[str, Any] = {
    "authorizations": [{"authorization_id": "A1"}],
    "reason_code": "same-service",
    "reason": "seen",
}
DENIED: dict[str, Any] = {
    "deny_with": {"group": "CO", "carc": "197"},
    "reason_code": "not-granted",
}
REPLACED = {"event": "SPA-0013", "reason_code": "clerical"}
TWO_LINES = [{}, {"procedure": "97112"}]


async def items(caller: Caller, **wanted: Any) -> list[WorkItem]:
    """The items that fit."""
    found = await worklist.page(caller, Wanted(**wanted), size=50, after=None)
    return [each.item for each in found.entries]


async def resolve(
    desk: Office,
    action: Any,
    *,
    line: int = 1,
    seen: str | None = None,
    dry: bool = False,
    **more: Any,
) -> resolutions.Resolved:
    """Decide about a line of the claim."""
    asked = Resolution(action=action, **more)
    return await resolutions.resolve(desk.caller, line_item("C-1", line), asked, seen, dry=dry)


def lines_of(made: resolutions.Resolved) -> Any:
    """The lines of the adjudication."""
    assert made.done is not None
    return made.done.answer["lines"]


def person(desk: Office, name: str, *without: str) -> Caller:
    """Somebody of the office, perhaps without a scope."""
    payers = frozenset({desk.payer})
    scopes = ALL - set(without)
    subject = Subject(kind="session", name=name, payers=payers, scopes=scopes)
    return caller_for(desk.parts, desk.payer, subject)
