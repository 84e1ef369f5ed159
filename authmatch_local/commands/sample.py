"""`authmatch sample`: made-up authorizations and claims, as many as wanted."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer

from authmatch_local.samples import SampleData
from service.cli.faults import BadInput
from service.cli.terminal import progress, say

SIZE_DEFAULT = 2_000


def sample(
    authorizations: Annotated[
        int, typer.Option(min=1, max=100_000_000, help="How many authorizations.")
    ] = SIZE_DEFAULT,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same data.")] = 1,
    claims: Annotated[bool, typer.Option("--claims", help="Write the claims.")] = False,
    expected: Annotated[
        bool, typer.Option("--expected", help="Write what must come out for the claims.")
    ] = False,
    labels: Annotated[
        bool, typer.Option("--labels", help="Write which authorization is right, as labels.")
    ] = False,
    out: Annotated[
        str, typer.Option(help="A folder that gets one file a kind; - is stdout, one kind.")
    ] = "-",
) -> None:
    """Write sample data as NDJSON: the authorizations, and into a folder what else is asked for."""
    data = SampleData(seed, authorizations)
    also = {"claims": claims, "expected": expected, "labels": labels}
    if out == "-":
        named = [kind for kind, is_wanted in also.items() if is_wanted]
        if len(named) > 1:
            told = " and ".join(f"--{kind}" for kind in named)
            raise BadInput(f"{told}: stdout takes one of them, or name a folder")
        kind = named[0] if named else "authorizations"
        with progress() as bars:
            total = authorizations if kind == "authorizations" else None
            stdout = typer.get_binary_stream("stdout")
            for line in bars.track(_lines(data, kind), total=total, description=kind):
                stdout.write(line)
        return
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"authorizations": True, **also}
    with progress() as bars:
        for kind in (name for name, is_wanted in wanted.items() if is_wanted):
            total = authorizations if kind == "authorizations" else None
            bar = bars.add_task(kind, total=total)
            with (folder / f"{kind}.ndjson").open("wb") as file:
                count = _write(file, bars.track(_lines(data, kind), task_id=bar, total=total))
            say(f"{folder / f'{kind}.ndjson'}: {count} lines")


def _write(file: IO[bytes], lines: Iterable[bytes]) -> int:
    count = 0
    for count, line in enumerate(lines, start=1):  # noqa: B007 - the last count is the answer
        file.write(line)
    return count


def _lines(data: SampleData, kind: str) -> Iterator[bytes]:
    """One kind of line after the other; nothing is held."""
    if kind == "authorizations":
        values: Iterator[object] = data.authorizations()
    elif kind == "claims":
        values = (claim for claim, _ in data.claims())
    elif kind == "labels":
        values = (each.as_label() for _, lines in data.claims() for each in lines)
    else:
        values = (each.as_json() for _, lines in data.claims() for each in lines)
    return (orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in values)
