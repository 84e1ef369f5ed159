"""Runs the benchmarks and prints what they give: `python -m benchmarks --size small|full`."""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from authmatch_local import engines
from benchmarks.contest import Contest, Part
from benchmarks.measure import Measured
from benchmarks.sizes import SIZES
from service.settings import Settings
from service.stores.connection.clock import now

HEAP_MB = 4096
FAILED = 2


def main() -> int:
    """Measure, print, write `benchmarks/latest-SIZE.json`; see ``measure`` for what it returns."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--size", choices=sorted(SIZES), default="small")
    parser.add_argument("--only", action="append", help="a part: reading, match, units ...")
    given = parser.parse_args()
    console, settings = Console(), Settings()
    if settings.elasticsearch_url and settings.redis_url:
        return _run(given, settings.elasticsearch_url, settings.redis_url, console)
    with engines.using(
        engines.default_cache(),
        progress=lambda text: console.print(f"[dim]{text}[/]"),
        heap_mb=HEAP_MB,
        home="bench",
        data="new",
    ) as local:
        return _run(given, local.elasticsearch_url, local.redis_url, console)


def _run(
    given: argparse.Namespace, elasticsearch_url: str, redis_url: str, console: Console
) -> int:
    size, only = SIZES[given.size], given.only
    contest = Contest(size, elasticsearch_url, redis_url, lambda text: console.print(text))
    parts = contest.parts
    unknown = set(only or ()) - set(parts)
    if unknown:
        raise SystemExit(f"unknown part: {', '.join(sorted(unknown))}; of: {', '.join(parts)}")
    asked = {name: part for name, part in parts.items() if not only or name in only}
    with closing(contest):
        return measure(asked, console, Path(__file__).with_name(f"latest-{given.size}.json"))


def measure(parts: Mapping[str, Part], console: Console, file: Path) -> int:
    """Run parts one after the other, also when one fails; every row is in the file at once.

    What the file has of other parts stays, so that a long run may be made part by part. Returns 0,
    or FAILED when a part failed; a row that falls short is shown so, and fails nothing.
    """
    kept: dict[str, Any] = orjson.loads(file.read_bytes()) if file.exists() else {}
    rows: list[Measured] = []
    failed: list[str] = []
    for name, part in parts.items():
        started = time.monotonic()
        mine: list[dict[str, Any]] = []
        told: dict[str, Any] = {"at": now(), "rows": mine}
        kept[name] = told
        try:
            for row in part():
                rows.append(row)
                mine.append(row.as_dict())
                console.print(f"  {row.what}: {row.ours:,.2f} {row.unit}", soft_wrap=True)
                _write(kept, file)
        except Exception:  # noqa: BLE001 - the other parts are measured; it is reported
            failed.append(name)
            console.print_exception()
            console.print(f"[red]the part {name} failed[/]")
        told |= {"failed": name in failed, "seconds": round(time.monotonic() - started)}
        told["load"] = os.getloadavg()
        _write(kept, file)
    console.print(_table(rows))
    console.print(f"written to {file}")
    if failed:
        console.print(f"[red]failed: {', '.join(failed)}[/]")
        return FAILED
    return 0


def _write(kept: Mapping[str, Any], file: Path) -> None:
    file.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2))


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
