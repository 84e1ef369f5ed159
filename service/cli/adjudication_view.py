"""An adjudication as tables for people: what is paid of each line, from where, and what is left."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Literal, get_args

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from service.cli.answer_view import event_text, service_text
from service.cli.terminal import table
from service.domain.answers import (
    AccountAnswer,
    AdjudicationAnswer,
    AdjustmentAnswer,
    ChangesAnswer,
    LineAnswer,
    LineSummary,
    Quantity,
    ReturnedAnswer,
    UsedAuthorization,
)
from service.domain.claim import Claim

_COLORS = {"pay": "green", "cut_back": "yellow", "suspend": "magenta", "deny": "red"}
_Part = Literal["billed", "approved", "denied", "suspended"]
_Measure = Literal["units", "amount", "service_days"]
_PARTS: tuple[_Part, ...] = get_args(_Part)
_MEASURES: tuple[_Measure, ...] = get_args(_Measure)
_NOTHING = "-"
_INDENT = 2


def adjudication_view(claim: Claim, answer: AdjudicationAnswer) -> RenderableType:
    """Show a whole answer."""
    lines = {line.line: service_text(line) for line in claim.lines}
    blocks: list[RenderableType] = [_head(claim, answer), _dispositions(answer["lines"])]
    blocks += [_line(each, lines[each["line"]]) for each in answer["lines"] if _says_more(each)]
    balances = list(_balances(answer["lines"]))
    if balances:
        blocks += [Text("\nBalances", "bold"), _balance_table(balances)]
    blocks += _returned(answer.get("returned", ()))
    blocks += _changed(answer.get("changed"))
    return Group(*blocks)


def _head(claim: Claim, answer: AdjudicationAnswer) -> Text:
    text = Text(
        f"Claim {answer['claim_id']} version {answer['version']}, member {claim.member.id}: "
    )
    text.append(answer["status"], "bold")
    if answer["dry_run"]:
        text.append("  (dry run: nothing was moved)", "yellow")
    if answer["replayed"]:
        text.append("  (answered before: nothing was moved)", "yellow")
    return text


def _dispositions(lines: Iterable[LineAnswer]) -> Table:
    """Show what becomes of every line: approved, denied and suspended are what was billed."""
    shown = table("line", "disposition", *_PARTS, "adjustments", right=("line", *_PARTS))
    for each in lines:
        disposition = each["disposition"]
        shown.add_row(
            str(each["line"]),
            Text(disposition, f"bold {_COLORS.get(disposition, 'default')}"),
            *(_part(each[name]) for name in _PARTS),
            "\n".join(map(_adjustment, each["adjustments"])),
        )
    return shown


def _part(part: Quantity) -> str:
    """Write units and amount, or a dash for neither."""
    if not Decimal(part["units"]) and not Decimal(part["amount"]):
        return _NOTHING
    return f"{part['units']} {part['unit']}\n{part['amount']}"


def _adjustment(adjustment: AdjustmentAnswer) -> str:
    return " ".join([f"{adjustment['group']}-{adjustment['carc']}", *adjustment["remarks"]])


def _says_more(line: LineAnswer) -> bool:
    return bool(line["events"] or line["resolved_events"] or _met(line))


def _met(line: LineAnswer) -> list[UsedAuthorization]:
    """What the line was drawn from, then what it was tried on."""
    return [*line["adjudicated_authorizations"], *line["tried_authorizations"]]


def _line(line: LineAnswer, service: str) -> RenderableType:
    head = Text.assemble("\n", (f"Line {line['line']}", "bold"), f"  {service}")
    blocks: list[RenderableType] = [event_text(each) for each in line["events"]]
    blocks += [event_text(each, " (settled by the selection)") for each in line["resolved_events"]]
    if met := _met(line):
        blocks.append(_used_table(met))
    if line["actions"]:
        blocks.append(Text(f"actions: {', '.join(line['actions'])}"))
    return Group(head, Padding(Group(*blocks), (0, 0, 0, _INDENT)))


def _used_table(used: Iterable[UsedAuthorization]) -> Table:
    """Show the authorizations in the order in which they were asked, and what each has left."""
    right = ("line", "units", "amount", "left")
    shown = table("authorization", "line", "by", "units", "amount", "left", "flags", right=right)
    for each in used:
        shown.add_row(
            Text.assemble(
                f"{each['number'] or _NOTHING}  ",
                (f"{each['authorization_id']} v{each['version']}", "dim"),
            ),
            str(each["line"] or _NOTHING),
            each["origin"],
            f"{each['units']} {each['unit']}",
            each["amount"],
            _least_left(each["accounts"]),
            ", ".join(each["flags"]),
        )
    return shown


def _least_left(accounts: Iterable[AccountAnswer]) -> str:
    """Write the units that the narrowest boundary has left, in its own unit."""
    left = [
        (Decimal(each["units"]["after"]["remaining"]), each["unit"] or "")
        for each in accounts
        if each["units"]["after"]["remaining"] is not None
    ]
    if not left:
        return "no limit"
    units, unit = min(left)
    return f"{units} {unit}".strip()


def _balances(lines: Iterable[LineAnswer]) -> Iterator[tuple[str, ...]]:
    """Every balance that the claim met: before its first line and after its last."""
    met: dict[tuple[str, str], list[AccountAnswer]] = {}
    numbers: dict[str, str] = {}
    for used in (used for line in lines for used in _met(line)):
        name = used["authorization_id"]
        numbers[name] = used["number"] or name
        for account in used["accounts"]:
            met.setdefault((name, account["account"]), []).append(account)
    for (name, _), accounts in met.items():
        first, last = accounts[0], accounts[-1]
        for measure in _MEASURES:
            before, after = first[measure]["before"], last[measure]["after"]
            limit = last[measure]["limit"]
            if limit is not None or before != after:
                unit = (last["unit"] or "units") if measure == "units" else measure
                yield (
                    numbers[name],
                    _boundary(last),
                    unit.replace("_", " "),
                    limit or "none",
                    _step(before["used"], after["used"]),
                    _step(before["reserved"], after["reserved"]),
                    after["remaining"] or _NOTHING,
                )


def _boundary(account: AccountAnswer) -> str:
    """Write which boundary an account is: "line 1, renewal from 2026-01-01"."""
    scope = "header" if account["line"] is None else f"line {account['line']}"
    if account["period_from"] is None:
        return scope
    return f"{scope}, {account['boundary']} from {account['period_from']}"


def _step(before: str, after: str) -> str:
    return before if before == after else f"{before} > {after}"


def _balance_table(balances: Iterable[tuple[str, ...]]) -> Table:
    columns = ("authorization", "boundary", "of", "limit", "used", "reserved", "left")
    return table(*columns, rows=balances, right=columns[3:])


def _returned(returned: Iterable[ReturnedAnswer]) -> list[RenderableType]:
    """Show what was given back before the claim was drawn."""
    whose = {"own": "by the run before", "original": "by the original claim"}
    return [
        Text(
            f"\ngiven back {whose[each['of']]}: line {each['line']}, {each['units']} units,"
            f" {each['amount']} of {each['authorization_id']}",
            "dim",
        )
        for each in returned
    ]


def _changed(changed: ChangesAnswer | None) -> list[RenderableType]:
    """Show what is other than in the run before."""
    if changed is None:
        return []
    told = [
        f"{name}: {each['before'] or _NOTHING} > {each['after']}"
        for name, each in changed["rules"].items()
    ]
    told += [
        f"line {each['line']}: {_outcome(each['before'])} > {_outcome(each['after'])}"
        for each in changed["lines"]
    ]
    head = f"\nOther than version {changed['since_version']} as it was run before"
    return [Text(head, "bold"), Text("\n".join(told) or "nothing")]


def _outcome(line: LineSummary | None) -> str:
    if line is None:
        return _NOTHING
    return f"{line['disposition']} {line['approved_units']} {line['approved_amount']}"
