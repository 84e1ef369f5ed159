"""`authmatch index`: puts the indices in place, and rebuilds them for a new mapping."""

from pathlib import Path
from typing import Annotated

import typer

from service.application import maintenance, rules_publishing
from service.application.parts import Application, local_caller
from service.application.rules import Asked
from service.cli.configuration import read_settings
from service.cli.opened import Tell, run_shown, run_with
from service.cli.terminal import put, say
from service.rules.book import EVERYBODY
from service.rules.texts import load_texts, read_folder

app = typer.Typer(no_args_is_help=True, help="The indices: install, migrate.")


@app.command()
def install() -> None:
    """Install index templates, create what is missing; may be run as often as one likes."""
    put(f"installed: {run_with(read_settings(), maintenance.install)}")


@app.command()
def reseal() -> None:
    """Bring dead letters and what is at rest under the first key of the seal, while all goes on."""
    count = run_shown(read_settings(), "sealing", maintenance.reseal)
    put(f"sealed anew: {count} documents")


@app.command()
def migrate(
    queries: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Store by attached fields and modifiers of this folder."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the history.")] = "index migrate",
) -> None:
    """Build a new index from the sources and put it in place; reads go on, pushes wait.

    With a folder the sets of rules in force take its attached fields and informational modifiers
    over, as new sets; restart the workers then.
    """
    settings = read_settings()
    if queries is None:
        old, new, count = run_shown(settings, "rebuilding", maintenance.migrate)
    else:
        texts = read_folder(queries)

        async def rebuild(parts: Application, tell: Tell) -> tuple[str, str, int]:
            caller, asked = local_caller(parts, EVERYBODY), Asked(reason=reason)
            await rules_publishing.adopt_stored(caller, texts, asked, dry=True)
            done = await maintenance.migrate(parts, tell)
            numbers = await rules_publishing.adopt_stored(caller, texts, asked)
            say(f"sets of rules that took it over: {', '.join(map(str, numbers)) or 'none'}")
            return done

        book = load_texts(texts).book
        old, new, count = run_shown(settings, "rebuilding", rebuild, rules=book)
    put(f"{new} has taken the place of {old}: {count} documents")
    say(f"{old} is kept; delete it when you are content")
