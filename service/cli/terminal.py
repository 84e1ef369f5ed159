"""The two streams of a command: results on stdout, progress and faults on stderr."""

import sys
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

import orjson
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def say(line: str) -> None:
    """Tell a person what goes on, on stderr."""
    err.print(line, markup=False, soft_wrap=True)


def put(line: str) -> None:
    """Write one line of plain output, never wrapped."""
    sys.stdout.write(f"{line}\n")


def put_json(value: object) -> None:
    """Write JSON for a program to read, indented."""
    put(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


def put_line(value: object) -> None:
    """Write one line of NDJSON."""
    put(orjson.dumps(value).decode())


def put_answer(answer: object, view: RenderableType, *, as_json: bool) -> None:
    """Write an answer as JSON for a program, or its view for a person; plain text never wraps."""
    if as_json:
        put_json(answer)
    elif isinstance(view, str):
        put(view)
    else:
        out.print(view)


@contextmanager
def progress(*, in_bytes: bool = False) -> Iterator[Progress]:
    """Show bars on stderr while a block runs; nothing where that is not a terminal."""
    amount: ProgressColumn = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bars:
        yield bars


def table(
    *headings: str,
    rows: Iterable[Iterable[RenderableType]] = (),
    right: Collection[str] = (),
    whole: Collection[str] = (),
) -> Table:
    """A plain table; the columns ``right`` are set right, they and the ``whole`` never wrap."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        if heading in right:
            made.add_column(heading, justify="right", no_wrap=True)
        else:
            made.add_column(heading, no_wrap=heading in whole, overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made
