"""Runs all benchmarks and prints the table: `python -m benchmarks --size small|full`."""

import argparse
import sys
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from authmatch_local import engines
from benchmarks.contest import Contest
from benchmarks.measure import Measured
from benchmarks.sizes import SIZES, Size
from service.settings import Settings

LATEST = Path(__file__).parent / "latest.json"
HEAP_MB = 4096


def main() -> int:
    """Measure, print, write `benchmarks/latest.json`; 1 when something was not met."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    parser.add_argument("--only", action="append", help="a part: load, match, batch, growth ...")
    given = parser.parse_args()
    size, console = SIZES[given.size], Console()
    settings = Settings()
    if settings.elasticsearch_url and settings.redis_url:
        rows = _run(size, settings.elasticsearch_url, settings.redis_url, given.only, console)
    else:
        with engines.using(
            engines.default_cache(),
            progress=lambda text: console.print(f"[dim]{text}[/]"),
            heap_mb=HEAP_MB,
            home="bench",
            fresh=True,
        ) as local:
            rows = _run(size, local.elasticsearch_url, local.redis_url, given.only, console)
    _print(rows, console, given.size)
    LATEST.write_bytes(orjson.dumps([row.as_dict() for row in rows], option=orjson.OPT_INDENT_2))
    console.print(f"written to {LATEST}")
    return 0 if all(row.met is not False for row in rows) else 1


def _run(
    size: Size, elasticsearch_url: str, redis_url: str, only: list[str] | None, console: Console
) -> list[Measured]:
    contest = Contest(size, elasticsearch_url, redis_url, lambda text: console.print(text))
    return contest.run(only)


def _print(rows: list[Measured], console: Console, size: str) -> None:
    table = Table(title=f"authmatch benchmarks, size {size}")
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
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
