"""An answer as tables for people: lines, candidates, evidence, near misses, events."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from service.cli.terminal import table
from service.domain.answers import (
    CandidateAnswer,
    EventAnswer,
    EvidenceAnswer,
    MatchAnswer,
    MatchedLine,
    ResultAnswer,
)
from service.domain.claim import Claim, ServiceLine

_COLORS = {"exact": "green", "non-exact": "yellow", "none": "red"}
_GRADES = {"full": "green", "wildcard": "cyan", "partial": "yellow", "missed": "red"}
_NOTHING = "-"
_INDENT = 2


def answer_view(claim: Claim, answer: MatchAnswer) -> RenderableType:
    """Show a whole answer."""
    lines = {line.line: line for line in claim.lines}
    took = answer["took_ms"]["total"]
    head = f"Claim {claim.claim_id}, member {claim.member.id}: {len(lines)} lines, {took:.1f} ms"
    return Group(Text(head), *(_line(lines[each["line"]], each) for each in answer["lines"]))


def _line(line: ServiceLine, answer: MatchedLine) -> RenderableType:
    requirement = answer["requirement"]
    needed = " and ".join(requirement["needed"])
    source = requirement["source"]
    if requirement["row"]:
        source = f"row {requirement['row']} of {requirement['table']}"
    if requirement["unknown"]:
        source += f", not known: {', '.join(requirement['unknown']['columns'])}"
    head = Text.assemble(
        "\n", (f"Line {line.line}", "bold"), f"  {service_text(line)}\n",
        (f"{needed or 'no authorization'} needed ({source})", "dim"),
    )  # fmt: skip
    return Group(head, *(_result(each) for each in answer["results"]))


def service_text(line: ServiceLine) -> str:
    """Write what was billed in one line."""
    days = [str(day) for day in (line.from_, line.to) if day]
    amount = f"{line.units} {line.unit or ''}".strip() if line.units is not None else ""
    tooth = " ".join(each.tooth for each in line.teeth)
    revenue = f"rev {line.revenue_code}" if line.revenue_code else ""
    parts = (
        line.procedure or "",
        " ".join(line.modifiers),
        revenue,
        tooth and f"tooth {tooth}",
        "..".join(dict.fromkeys(days)),
        amount,
    )
    return "  ".join(part for part in parts if part)


def _result(result: ResultAnswer) -> RenderableType:
    color = _COLORS[result["class"]]
    chosen = ", ".join(result["chosen"]) or "none"
    more = "  (more than can be shown)" if result["truncated"] else ""
    head = Text.assemble(
        f"{result['type']}: ", (result["class"], f"bold {color}"), f"  chosen: {chosen}",
        (f"  template {result['template']} v{result['template_version']}{more}", "dim"),
    )  # fmt: skip
    blocks: list[RenderableType] = [head]
    for each in result["candidates"]:
        blocks += [candidate_head(each), evidence_table(each["evidence"])]
    if result["near_misses"]:
        blocks.append(_near_misses(result["near_misses"]))
    blocks += [Text.assemble("\n", event_text(each)) for each in result["events"]]
    return Padding(Group(*blocks), (0, 0, 0, _INDENT))


def candidate_head(candidate: CandidateAnswer) -> Text:
    """Write one candidate in a line: how sure, which one, its decision, what bars exactness."""
    color = _COLORS[candidate["class"]]
    text = Text.assemble(
        (f"\n{candidate['percent']:3d} %", f"bold {color}"),
        f"  {candidate['number'] or _NOTHING}",
        (f"  {candidate['authorization_id']} v{candidate['version']}", "dim"),
        (f" line {candidate['line']}", "dim"),
        f"  {candidate['action'] or 'no decision'}",
        f"  certified {candidate['certification_date'] or _NOTHING}",
        _holds(candidate),
    )
    if candidate["exact_blockers"]:
        text.append(f"\n       not exact for: {', '.join(candidate['exact_blockers'])}", "yellow")
    if candidate["tolerance"]:
        text.append("  (found through match days)", "yellow")
    if candidate["relaxed"]:
        text.append(f"  (found by {candidate['relaxed']})", "yellow")
    return text


def _holds(candidate: CandidateAnswer) -> str:
    """Write when it is valid, and what is left of every limit, where that was asked."""
    days = candidate["effective"]
    told = [f"valid {days['from'] or ''}..{days['to'] or ''}"]
    told += [
        f"{each['account']} {each['remaining'] or '?'} of {each['granted']}"
        f" {each['unit'] or each['measure'].replace('_', ' ')} left"
        for each in candidate.get("balances", ())
        if each["granted"] is not None
    ]
    return f"\n       {', '.join(told)}"


def evidence_table(evidence: Iterable[EvidenceAnswer]) -> Table:
    """Show every criterion: points, both values, and why not more."""
    columns = ("criterion", "points", "claim", "authorization", "why")
    shown = table(*columns, right=("points",), whole=("criterion",))
    shown.columns[columns.index("authorization")].min_width = 22  # a span of days
    for each in evidence:
        grade = each["grade"]
        authorized = "any" if grade == "wildcard" else value_text(each["authorization"])
        shown.add_row(
            each["criterion"],
            Text(f"{each['points']}/{each['of']}", _GRADES.get(grade, "dim")),
            Text(value_text(each["claim"])),
            Text(authorized, "cyan" if grade == "wildcard" else ""),
            Text(each.get("why", "")),
        )
    return shown


def _near_misses(near_misses: Iterable[CandidateAnswer]) -> RenderableType:
    lines = []
    for each in near_misses:
        missed = (one["criterion"] for one in each["evidence"] if one["grade"] == "missed")
        lines.append(
            f"{each['percent']:3d} %  {each['number'] or _NOTHING}  {each['authorization_id']}"
            f"  {each['action'] or 'no decision'}  missed: {', '.join(missed) or 'nothing'}"
            f"{_holds(each)}"
        )
    return Text("\nnear misses\n" + "\n".join(lines), "dim")


def event_text(event: EventAnswer, more: str = "") -> Text:
    """Write an event in a line: its code and name, what it is about, and perhaps more."""
    about = f" ({event['authorization_id']})" if event.get("authorization_id") else ""
    return Text.assemble((event["code"], "bold magenta"), f"  {event['name']}{about}{more}")


def value_text(value: object) -> str:
    """Write a value of the evidence."""
    if value is None or value == []:
        return _NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
