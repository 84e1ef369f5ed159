"""The command line: one module for each group of commands, put together here."""

from typing import Annotated

import typer

from service import __version__
from service.cli.accumulators import app as accumulators_app
from service.cli.adjudicate import adjudicate
from service.cli.audit import app as audit_app
from service.cli.dead_letters import app as dead_letters_app
from service.cli.doctor import doctor
from service.cli.faults import BadInput, Commands
from service.cli.golden import app as golden_app
from service.cli.index import app as index_app
from service.cli.keys import app as keys_app
from service.cli.loading import load
from service.cli.match import match
from service.cli.members import app as members_app
from service.cli.rules_watch import app as rules_app
from service.cli.serve import serve
from service.cli.session import app as session_app
from service.cli.studies import app as studies_app
from service.cli.studies import evaluate, suggest, sweep
from service.cli.why_not import explain
from service.cli.worklist import app as worklist_app
from service.logs import log_as_command

__all__ = ["app", "main"]

app = typer.Typer(
    name="authmatch",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Which prior authorization covers this claim line, how surely, and why.",
    epilog="Exit codes: 0 done, 1 done but something is wrong, 2 bad input, 3 an engine failed.",
)


def _not_installed(context: typer.Context) -> None:
    """Not installed here: it comes with the extra `local`."""
    raise BadInput(f"{context.info_name} is not installed here: install authmatch[local]")


def _add_local() -> None:
    """Add the commands of `authmatch[local]`; where it is missing, commands that say so."""
    try:
        from authmatch_local import commands
    except ModuleNotFoundError as missing:
        if str(missing.name).startswith("service"):
            raise
        anything = {"allow_extra_args": True, "ignore_unknown_options": True}
        for name in ("run", "sample", "engines"):
            app.command(name, context_settings=anything)(_not_installed)
    else:
        app.command()(commands.run)
        app.command()(commands.sample)
        app.add_typer(commands.engines_app, name="engines")


_add_local()
app.command()(serve)
app.command()(load)
app.command()(match)
app.command()(adjudicate)
app.command("why-not")(explain)
app.add_typer(rules_app, name="rules")
app.add_typer(studies_app, name="study")
app.add_typer(golden_app, name="golden")
app.command()(evaluate)
app.command()(sweep)
app.command()(suggest)
app.command()(doctor)
app.add_typer(index_app, name="index")
app.add_typer(accumulators_app, name="accumulators")
app.add_typer(dead_letters_app, name="deadletters")
app.add_typer(worklist_app, name="worklist")
app.add_typer(members_app, name="members")
app.add_typer(keys_app, name="keys")
app.add_typer(session_app, name="session")
app.add_typer(audit_app, name="audit")


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
    del version
    log_as_command()
