"""How a command ends: expected faults are one line on stderr and an exit code, no traceback."""

from typing import NoReturn

import typer
from rich.markup import escape

from service.cli.terminal import err

PROBLEMS = 1
BAD_INPUT = 2
ENGINE_FAULT = 3
INTERRUPTED = 130


class BadInput(Exception):
    """What was given to a command cannot be used; the text says why."""


def end(message: str, code: int, cause: BaseException | None = None) -> NoReturn:
    """Say why in one line, and leave."""
    err.print(f"[red]error:[/] {escape(' '.join(message.split()))}", soft_wrap=True)
    raise typer.Exit(code) from cause
