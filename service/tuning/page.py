"""A report as a page: one file of HTML that needs nothing beside it, no script and no network."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any

from service.tuning import _charts as charts
from service.tuning._criteria import GRADES
from service.tuning._harm import CLASSES, HARMS, NOT_ASKED
from service.tuning.gates import gate_words

ROWS_SHOWN_MAX = 100
"""So many of the lines that move stand on the page; all of a report are in its CSV."""

Report = Mapping[str, Any]

_SAID = {
    "exact": "exact",
    "non-exact": "non-exact",
    "none": "no match",
    NOT_ASKED: "not looked for",
}

_STYLE = """
:root{color-scheme:light;--ink:#1d2127;--soft:#5b626d;--line:#d9dde3;--bad:#b3261e;--back:#f6f7f9}
*{box-sizing:border-box}
body{margin:0;font:15px/1.45 Arial,Helvetica,sans-serif;color:var(--ink);background:#fff}
main{max-width:1120px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:24px;line-height:1.25;margin:0 0 6px}
h2{font-size:18px;margin:34px 0 6px;padding-top:14px;border-top:1px solid var(--line)}
p{margin:4px 0 10px;max-width:74ch}
.soft{color:var(--soft)}
.tiles{display:grid;grid-template-columns:repeat(4,1fr);gap:10px;margin:16px 0}
.tile{background:var(--back);border-radius:8px;padding:12px 14px}
.tile b{display:block;font-size:25px;line-height:1.2}
.tile.bad b{color:var(--bad)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 9px;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft)}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.matrix td{text-align:right;min-width:74px}
.matrix .same{background:#eef5f0}
.matrix .moved{background:#fdf0da}
.matrix .worse{background:#fbe3e1}
.matrix small{display:block;color:var(--soft)}
.bad{color:var(--bad)}
.code{white-space:nowrap}
code{font:13px ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
ul{margin:4px 0 10px;padding-left:20px}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:18px}
.charts svg{width:100%;max-width:520px;height:auto}
.rows td:nth-child(1){white-space:nowrap}
@media(max-width:640px){
 .tiles{grid-template-columns:repeat(2,1fr)}
 h1{font-size:21px}
 th,td{padding:5px 4px}
 table{font-size:13px}
 td:first-child{overflow-wrap:anywhere}
 .rows thead{display:none}
 .rows,.rows tbody,.rows tr,.rows td{display:block;width:100%}
 .rows tr{border-bottom:1px solid var(--line);padding:8px 0}
 .rows td{border:0;padding:1px 0;text-align:left;white-space:normal!important}
 .rows td::before{content:attr(data-is) " ";color:var(--soft)}
 .criteria thead{display:none}
 .criteria td{display:inline-block;border:0;padding:0 8px 2px 0}
 .criteria td:first-child{display:block;padding-top:6px}
 .criteria td::before{content:attr(data-is) " ";color:var(--soft)}
 .criteria tr{display:block;border-bottom:1px solid var(--line);padding-bottom:6px}
 .matrix{font-size:12px}
 .matrix td{min-width:0}
}
@media print{h2{break-after:avoid}tr{break-inside:avoid}}
"""


_GATE = {"denies": ' class="bad"', "warns": ' class="moved"'}


def page_of(report: Report) -> str:
    """The page of a report; of the same report always the same."""
    parts = [
        _head(report),
        _tiles(report),
        _gates(report),
        _changes(report),
        _matrix(report),
        _harm(report),
        _causes(report),
        _review(report),
        _sweep(report),
        _criteria(report),
        _rows(report),
        _made_of(report),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>What the draft moves</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(report: Report) -> str:
    study = report["study"]
    name, at = (escape(str(study.get(each, ""))) for each in ("name", "taken_at"))
    notes = "".join(f'<p class="bad">{escape(note)}</p>' for note in report["notes"])
    lines = _count(report["lines"]["all"])
    return (
        "<h1>What the draft moves</h1>"
        f'<p class="soft">Study <b>{name}</b>: {lines} claim lines with all that could cover them'
        f" as of {at[:10]} {at[11:16]} UTC. Each is judged by the rules in force and by the draft."
        f" A line that needs two kinds counts for each.</p>{notes}"
    )


def _tiles(report: Report) -> str:
    moved = sum(each["lines"] for each in report["harm"])
    harmful = sum(each["lines"] for each in report["harm"] if each["is_harmful"])
    hours = report["review"]["change_hours"]
    sign = "+" if Decimal(hours) > 0 else ""
    tiles = [
        ("", _count(report["lines"]["judged"]), "lines judged"),
        ("", _count(moved), "come out otherwise"),
        (" bad" if harmful else "", _count(harmful), "of these harmful"),
        ("", f"{sign}{hours} h", "of examiners' time"),
    ]
    shown = (f'<div class="tile{kind}"><b>{value}</b>{what}</div>' for kind, value, what in tiles)
    return f'<div class="tiles">{"".join(shown)}</div>'


def _gates(report: Report) -> str:
    judged = report["gates"]
    rows = [
        f"<th>{escape(each['gate'].replace('_', ' '))}</th><td>{escape(gate_words(each))}</td>"
        f"<td{_GATE.get(each['outcome'], '')}>{each['outcome']}</td>"
        for each in judged["gates"]
    ]
    said = (
        "<p>Nothing denies: who approves may publish.</p>"
        if judged["hold"]
        else '<p class="bad">A gate denies: to publish it takes a second approver, and why.</p>'
    )
    return f"<h2>Gates</h2>{said}{_table(['gate', 'it comes to', ''], rows)}"


def _changes(report: Report) -> str:
    if not report["changes"]:
        return "<h2>What changes</h2><p>Nothing: both sets of rules say the same.</p>"
    listed = "".join(f"<li>{escape(each['words'])}</li>" for each in report["changes"])
    return f"<h2>What changes</h2><ul>{listed}</ul>"


def _matrix(report: Report) -> str:
    cells = {(each["before"], each["after"]): each for each in report["matrix"]}
    used = [name for name in CLASSES if any(name in key for key in cells)]
    rows = [
        f"<th>{_SAID[before]}</th>"
        + "".join(_cell(cells.get((before, after)), before, after) for after in used)
        for before in used
    ]
    heads = ["in force \\ draft", *(f"#{_SAID[name]}" for name in used)]
    return (
        "<h2>Classes: in force, and by the draft</h2>"
        "<p>Each row is a class by the rules in force, each column one by the draft: lines, and"
        " below them what they are charged. Green stays as it was, orange moves, red loses an exact"
        f" match.</p>{_table(heads, rows, kind='matrix')}"
    )


def _cell(cell: Report | None, before: str, after: str) -> str:
    if cell is None:
        return '<td class="soft">0</td>'
    kind = "same" if before == after else "worse" if before == "exact" else "moved"
    lines, amount = _count(cell["lines"]), _money(cell["amount"])
    return f'<td class="{kind}">{lines}<small>{amount}</small></td>'


def _harm(report: Report) -> str:
    rows = [
        f'<td class="{"bad" if each["is_harmful"] else ""}">{escape(each["says"])}</td>'
        + _number(each["lines"])
        + _right(_money(each["amount"]))
        for each in report["harm"]
        if each["lines"]
    ]
    if not rows:
        return "<h2>What becomes of lines</h2><p>No line comes out otherwise.</p>"
    return (
        "<h2>What becomes of lines</h2><p>The worst first; red changes what is paid without"
        f" anybody who looks at it.</p>{_table(['what', '#lines', '#charged'], rows)}"
    )


def _causes(report: Report) -> str:
    if not report["causes"]:
        return ""
    rows = [
        f"<td>{_words(report, each['changes'])}</td>"
        + _number(each["lines"])
        + _number(each["harmful"])
        for each in report["causes"][:ROWS_SHOWN_MAX]
    ]
    return (
        "<h2>Why</h2><p>The fewest changes that move a line: with these alone it comes out as by"
        " the draft, and without them as it was. Found by trying.</p>"
        + _table(["changes", "#lines", "#harmful"], rows)
    )


def _words(report: Report, some: Iterable[int]) -> str:
    words = [escape(report["changes"][each]["words"]) for each in some]
    return " <b>and</b> ".join(words)


def _rows(report: Report) -> str:
    if not report["rows"]:
        return ""
    shown = report["rows"][:ROWS_SHOWN_MAX]
    moved = sum(each["lines"] for each in report["harm"])
    heads = [
        "claim, line",
        "what becomes of it",
        "in force",
        "by the draft",
        "cause",
        "#charged",
    ]
    return (
        f"<h2>Lines that move</h2><p>The worst {_count(len(shown))} of {_count(moved)}; of them the"
        f" CSV has {_count(len(report['rows']))}.</p>"
        + _table(heads, [_row(report, each) for each in shown], kind="rows")
    )


def _row(report: Report, row: Report) -> str:
    cause = "not tried" if row["cause"] is None else _words(report, row["cause"])
    if row["cause"] is not None and not row["is_smallest"]:
        cause += ' <span class="soft">(perhaps not the fewest)</span>'
    cells = {
        "claim": f"<code>{escape(row['claim_id'])}</code>, {row['line']}",
        "": escape(HARMS[row["harm"]]),
        "in force:": _side(row["before"]),
        "draft:": _side(row["after"]),
        "because:": cause,
    }
    told = "".join(f'<td data-is="{name}">{value}</td>' for name, value in cells.items())
    return f'{told}<td class="n" data-is="charged">{_money(row["amount"])}</td>'


def _side(side: Report) -> str:
    if side["class"] == NOT_ASKED:
        return _SAID[NOT_ASKED]
    percent = "" if side["percent"] is None else f", {side['percent']} %"
    taken = ", ".join(f"<code>{escape(each)}</code>" for each in side["chosen"])
    told = f"takes {taken}" if taken else "takes none"
    events = "".join(f' <span class="soft code">{escape(each)}</span>' for each in side["events"])
    return f"{_SAID[side['class']]}{percent}: {told}{events}"


def _review(report: Report) -> str:
    review, automatic = report["review"], report["automatic"]
    sides = ("before", "after")
    rows = [
        "<th>lines to examiners</th>" + "".join(_number(review[side]["lines"]) for side in sides),
        "<th>hours</th>" + "".join(_right(review[side]["hours"]) for side in sides),
        "<th>lines taken without them</th>"
        + "".join(_number(automatic[side]["lines"]) for side in sides),
        "<th>of these right</th>"
        + "".join(_right(_share(automatic[side]["precision"])) for side in sides),
        "<th>of all right ones, found so</th>"
        + "".join(_right(_share(automatic[side]["recall"])) for side in sides),
    ]
    return (
        "<h2>Examiners, and what is taken without them</h2>"
        f"<p>A line that waits takes {review['minutes_a_line']} minutes. Right is what labels say,"
        " with the range that is sure to 95 % (Wilson).</p>"
        + _table(["", "#in force", "#draft"], rows)
    )


def _share(share: Report) -> str:
    if share["share"] is None:
        return '<span class="soft">no labels</span>'
    low, high = (f"{100 * share[end]:.1f}" for end in ("low", "high"))
    counted = f"{low} to {high} %<br>{_count(share['right'])} of {_count(share['of'])}"
    return f"{100 * share['share']:.1f} %<br><small class='soft'>{counted}</small>"


def _sweep(report: Report) -> str:
    sweep = report["sweep"]
    if not sweep["points"]:
        return ""
    counted = ("exact", "non_exact", "none", "automatic")
    rows = [
        _right(f"{point['value']} %")
        + "".join(_number(point[name]) for name in counted)
        + _right(point["review_hours"])
        for point in sweep["points"]
    ]
    heads = ["#least", "#exact", "#non-exact", "#no match", "#taken", "#hours"]
    sample = f" A sample of {_count(sweep['lines'])} lines."
    some = "" if sweep["lines"] == sweep["of"] else sample
    now = ", ".join(f"{each} %" for each in sweep["now"])
    return (
        "<h2>Another threshold</h2><p>The draft with the least percent of a non-exact match set to"
        f" other values in all templates; it is {now} (dashed).{some}</p>"
        f'<div class="charts"><div>{_drawn(charts.sweep_chart, sweep)}</div>'
        f"<div>{_table(heads, rows)}</div></div>"
    )


def _drawn(draw: Callable[[Any], str], data: Any) -> str:
    if not charts.are_drawn():
        return '<p class="soft">Charts need authmatch[reports].</p>'
    return draw(data)


def _criteria(report: Report) -> str:
    criteria: Sequence[Report] = report["criteria"]["after"]
    if not criteria:
        return ""
    before = {(each["template"], each["criterion"]): each for each in report["criteria"]["before"]}
    heads = ["criterion", *(f"#{each}" for each in (*_MET, "decides"))]
    return (
        "<h2>What the criteria do</h2><p>By the draft, of the best candidate of each line. A"
        " criterion decides where it alone keeps a match from being exact, or its points alone lift"
        " it over the threshold; in brackets by the rules in force.</p>"
        f'<div class="charts"><div>{_drawn(charts.criteria_chart, criteria)}</div></div>'
        + _table(heads, [_criterion(each, before) for each in criteria], kind="criteria")
        + _warnings(report)
    )


def _warnings(report: Report) -> str:
    """What does nothing for the lines of the study."""
    told = "".join(
        f"<li>{escape(each['template'])}: {escape(each['of'])}: {escape(each['message'])}"
        f' <span class="soft code">{each["code"]}</span></li>'
        for each in report["warnings"]
    )
    return told and f"<p>What does nothing here, which may be meant:</p><ul>{told}</ul>"


_MET = ("met in full", "unrestricted", "in part", "missed", "not asked")


def _criterion(each: Report, before: Mapping[tuple[str, str], Report]) -> str:
    name = each["template"], each["criterion"]
    known = before.get(name)
    was = "new" if known is None else _count(known["decides"])
    return (
        f"<td>{escape(name[0])}: {escape(name[1])}</td>"
        + "".join(_right(_count(each[grade]), met) for grade, met in zip(GRADES, _MET, strict=True))
        + _right(f'{_count(each["decides"])} <span class="soft">({was})</span>', "decides")
    )


def _made_of(report: Report) -> str:
    rules, study, drift = report["rules"], report["study"], report["drift"]
    hashes = {
        "rules in force": rules["before"]["hash"],
        "draft": rules["after"]["hash"],
        **study.get("hashes", {}),
        "labels": report["labels_hash"] or "none",
    }
    rows = [
        f"<td>{escape(name)}</td><td><code>{escape(value)}</code></td>"
        for name, value in hashes.items()
    ]
    told = (
        f"Of {_count(drift['compared'])} decisions in the study {_count(drift['otherwise'])} come"
        " out otherwise by the rules in force: authorizations have moved on since."
        if drift["compared"]
        else "The study has no decisions of before."
    )
    return (
        f"<h2>Made of</h2><p>{told} The same inputs give the same report, byte for byte"
        f" (SHA-256).</p>{_table(['what', 'hash'], rows)}"
    )


def _table(heads: Iterable[str], rows: Iterable[str], kind: str = "") -> str:
    """A table of rows of cells; headings that begin with # stand over numbers."""
    titles = "".join(
        f'<th class="n">{head[1:]}</th>' if head.startswith("#") else f"<th>{head}</th>"
        for head in heads
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{titles}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number(number: int) -> str:
    return _right(_count(number))


def _right(text: str, is_: str = "") -> str:
    """A cell on the right; ``is_`` says what it is where there is no room for a heading."""
    named = f' data-is="{is_}"' if is_ else ""
    return f'<td class="n"{named}>{text}</td>'


def _count(number: int) -> str:
    return f"{number:,}"


def _money(amount: str | None) -> str:
    return "" if amount is None else f"{Decimal(amount):,.2f}"


CSV_COLUMNS = (
    "harm",
    "claim_id",
    "version",
    "line",
    "kind",
    "claim_type",
    "class_before",
    "class_after",
    "percent_before",
    "percent_after",
    "chosen_before",
    "chosen_after",
    "events_before",
    "events_after",
    "units",
    "unit",
    "amount",
    "cause",
)


def csv_of(report: Report) -> Iterator[str]:
    """The lines that move as CSV, one a line of text, headings first."""
    yield ",".join(CSV_COLUMNS) + "\r\n"
    for row in report["rows"]:
        before, after = row["before"], row["after"]
        cells = {
            **row,
            **{f"{name}_before": before[name] for name in ("class", "percent")},
            **{f"{name}_after": after[name] for name in ("class", "percent")},
            **{f"{name}_before": " ".join(before[name]) for name in ("chosen", "events")},
            **{f"{name}_after": " ".join(after[name]) for name in ("chosen", "events")},
            "cause": "; ".join(report["changes"][each]["words"] for each in row["cause"] or ()),
        }
        yield ",".join(_quoted(cells[name]) for name in CSV_COLUMNS) + "\r\n"


def as_text(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _quoted(value: object) -> str:
    text = as_text("" if value is None else str(value))
    if any(each in text for each in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
