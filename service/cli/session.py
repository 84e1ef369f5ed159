"""`authmatch session`: browser sessions: a link that opens one on this machine, and their end."""

from typing import Annotated

import typer

from service.application import sessions
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import BadInput
from service.cli.opened import run_with
from service.cli.serve import LOOPBACK, PortOption
from service.cli.terminal import put_answer

app = typer.Typer(no_args_is_help=True, help="Browser sessions: open one here, end them.")


@app.command("link")
def link_(port: PortOption = 8080, payer: PayerOption = None, as_json: JsonOption = False) -> None:
    """Print a link that opens a browser session once, within minutes: on this machine alone.

    The session is that of the user of this machine, with every scope.
    """
    settings = read_settings()
    if (settings.public_url or "").startswith("https:"):
        raise BadInput("AUTHMATCH_PUBLIC_URL is set: sessions begin by signing in there")
    whose = payer_of(payer, settings)
    ticket = run_with(settings, lambda parts: sessions.ticket_of_machine(parts, whose))
    shown = link(port, ticket, scheme="https" if settings.tls_cert else "http")
    put_answer({"link": shown}, shown, as_json=as_json)


@app.command()
def end(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As records call it: session:NAME.")],
    as_json: JsonOption = False,
) -> None:
    """End all sessions of somebody, in every worker: what was taken from him at the issuer."""
    user = name.removeprefix("session:")
    ended = run_with(read_settings(), lambda parts: sessions.end_all(parts, user))
    put_answer({"ended": ended}, f"{ended} ended", as_json=as_json)


def link(port: int, ticket: str, *, scheme: str = "http") -> str:
    """The address that opens a session by a ticket, and leads to the workbench."""
    return f"{scheme}://{LOOPBACK}:{port}/session/open?ticket={ticket}&next=/workbench"
