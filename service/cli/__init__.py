"""The command line: one module for each group of commands, imported when one of them is run."""

from typing import Annotated

import typer

from service import __version__
from service.cli.commands import Commands

__all__ = ["app", "main"]

app = typer.Typer(
    name="authmatch",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Which prior authorization covers this claim line, how surely, and why.",
    epilog="Exit codes: 0 done, 1 done but something is wrong, 2 bad input, 3 an engine failed.",
)


def main() -> None:
    """Run the command line."""
    app()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"authmatch {__version__}")
        raise typer.Exit


@app.callback()
def _before_all(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Send what is logged to stderr: stdout is for results."""
    from service.logs import log_as_command

    del version
    log_as_command()
