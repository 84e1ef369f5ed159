"""`authmatch index`: puts the indices in place, and rebuilds them for a new mapping."""

import typer

from service.application import maintenance
from service.cli.configuration import read_settings
from service.cli.opened import run_shown, run_with
from service.cli.terminal import put, say

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
def migrate() -> None:
    """Build a new index from the sources and put it in place; reads go on, pushes wait."""
    old, new, count = run_shown(read_settings(), "rebuilding", maintenance.migrate)
    put(f"{new} has taken the place of {old}: {count} documents")
    say(f"{old} is kept; delete it when you are content")
