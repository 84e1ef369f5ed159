"""Runs the benchmarks and prints what they give: `python -m benchmarks --size small|full`."""

import argparse
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from authmatch_local import engines
from benchmarks.contest import Contest, Part
from benchmarks.measure import Measured
from benchmarks.sizes import SIZES, Size
from service.settings import Settings

LATEST = Path(__file__).parent / "latest.json"
HEAP_MB = 4096
FAILED = 2


def main() -> int:
    """Measure, print, write `benchmarks/latest.json`; see ``measure`` for what it returns."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    parser.add_argument("--only", action="append", help="a part: reading, match, units ...")
    given = parser.parse_args()
    size, console = SIZES[given.size], Console()
    settings = Settings()
    if settings.elasticsearch_url and settings.redis_url:
        return _run(size, settings.elasticsearch_url, settings.redis_url, given.only, console)
    with engines.using(
        engines.default_cache(),
        progress=lambda text: console.print(f"[dim]{text}[/]"),
        heap_mb=HEAP_MB,
        home="bench",
        data="new",
    ) as local:
        return _run(size, local.elasticsearch_url, local.redis_url, given.only, console)


def _run(
    size: Size, elasticsearch_url: str, redis_url: str, only: list[str] | None, console: Console
) -> int:
    contest = Contest(size, elasticsearch_url, redis_url, lambda text: console.print(text))
    parts = contest.parts
    unknown = set(only or ()) - set(parts)
    if unknown:
        raise SystemExit(f"unknown part: {', '.join(sorted(unknown))}; of: {', '.join(parts)}")
    asked = {name: part for name, part in parts.items() if not only or name in only}
    with closing(contest):
        return measure(asked, console, LATEST)


def measure(parts: Mapping[str, Part], console: Console, file: Path) -> int:
    """Run parts one after the other, also when one fails; every row is in the file at once.

    Returns 0, or FAILED when a part failed; a row that falls short is shown so, and fails nothing.
    """
    rows: list[Measured] = []
    failed: list[str] = []
    for name, part in parts.items():
        try:
            for row in part():
                rows.append(row)
                console.print(f"  {row.what}: {row.ours:,.2f} {row.unit}", soft_wrap=True)
                _write(rows, failed, file)
        except Exception:  # noqa: BLE001 - the other parts are measured; it is reported
            failed.append(name)
            console.print_exception()
            console.print(f"[red]the part {name} failed[/]")
            _write(rows, failed, file)
    console.print(_table(rows))
    console.print(f"written to {file}")
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}[/]")
        return FAILED
    return 0


def _write(rows: list[Measured], failed: list[str], file: Path) -> None:
    result = {"failed": failed, "rows": [row.as_dict() for row in rows]}
    file.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2))


def _table(rows: list[Measured]) -> Table:
    table = Table(title="authmatch benchmarks")
    for heading in ("what", "ours", "against", "ratio", "reach", "met"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for row in rows:
        met = {True: "[green]yes[/]", False: "[red]no[/]", None: "-"}[row.met]
        table.add_row(
            f"{row.what}\n[dim]{row.note}[/]" if row.note else row.what,
            f"{row.ours:,.2f} {row.unit}",
            "-" if row.against is None else f"{row.against:,.2f} {row.unit}",
            "-" if row.ratio is None else f"{row.ratio:.2f}",
            "-" if row.reach is None else f"{row.reach:g}",
            met,
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
