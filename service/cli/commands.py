"""The commands, each imported when it is run: the list of all of them is there at once.

The context and the classes of commands are private to typer, and so not named here.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from service.cli.faults import BadInput

COMMAND = ContextVar("command", default="authmatch")
"""The words of the command that is run."""

_LOCAL = "authmatch_local.commands"
_ANYTHING = {"allow_extra_args": True, "ignore_unknown_options": True}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command or a group of them is, and the first sentence that it says of itself."""

    module: str
    name: str
    help: str


COMMANDS = {
    "run": Place(
        _LOCAL,
        "run",
        "Start what is needed on this machine, load data to try it on, and serve until Ctrl-C.",
    ),
    "sample": Place(
        _LOCAL,
        "sample",
        "Write sample data as NDJSON: the authorizations, and into a folder what else is asked"
        " for.",
    ),
    "serve": Place(
        "service.cli.serve",
        "serve",
        "Serve the API until told to stop; installs the indices first.",
    ),
    "load": Place(
        "service.cli.loading", "load", "Push authorizations from files straight into the stores."
    ),
    "match": Place(
        "service.cli.match",
        "match",
        "Match a claim: for each line its class, the candidates with their evidence, events.",
    ),
    "adjudicate": Place(
        "service.cli.adjudicate",
        "adjudicate",
        "Adjudicate a claim: draw its units, and say what is paid of every line, and why not more.",
    ),
    "charges": Place("service.cli.charges", "app", "Charges: check, attach, detach."),
    "claims": Place("service.cli.claims", "app", "Claims before they are billed: populate."),
    "request": Place("service.cli.requests", "app", "Ask payers: new, send, status, renew."),
    "why-not": Place(
        "service.cli.why_not",
        "explain",
        "Say which requirement an authorization fails first, and which criteria it misses.",
    ),
    "evaluate": Place(
        "service.cli.studies",
        "evaluate",
        "Judge a study by the rules in force and by a draft: what moves, how much, and why.",
    ),
    "sweep": Place(
        "service.cli.studies",
        "sweep",
        "Judge a study with one key at several values: classes, what is taken, examiners' hours.",
    ),
    "suggest": Place(
        "service.cli.studies",
        "suggest",
        "Look for a draft by which more labelled lines are taken rightly, and no more wrongly.",
    ),
    "doctor": Place(
        "service.cli.doctor",
        "doctor",
        "Look at settings, files and engines; exit code 1 for anything red, 3 for an engine.",
    ),
    "engines": Place(_LOCAL, "engines_app", "The local engines: start, stop, status."),
    "rules": Place(
        "service.cli.rules_watch", "app", "Rules: check, draft, approve, publish, roll back."
    ),
    "study": Place("service.cli.studies", "app", "Studies: claims to try rules on."),
    "golden": Place("service.cli.golden", "app", "The golden set: what is right for claim lines."),
    "index": Place("service.cli.index", "app", "The indices: install, migrate."),
    "accumulators": Place(
        "service.cli.accumulators",
        "app",
        "Units used: reconcile, project, archive, rebuild, correct.",
    ),
    "deadletters": Place(
        "service.cli.dead_letters",
        "app",
        "What could not be taken and was kept: list, show, retry, drop.",
    ),
    "worklist": Place(
        "service.cli.worklist", "app", "What waits for a person: list, take, decide."
    ),
    "alerts": Place("service.cli.alerts", "app", "Alerts of authorizations: list."),
    "report": Place("service.cli.report", "app", "What is published: cms0057."),
    "authorization": Place(
        "service.cli.authorization", "app", "Authorizations entered by hand: add, confirm."
    ),
    "members": Place("service.cli.members", "app", "Members: merge."),
    "keys": Place("service.cli.keys", "app", "API keys: make, list, rotate, revoke."),
    "session": Place("service.cli.session", "app", "Browser sessions: open one here, end them."),
    "audit": Place("service.cli.audit", "app", "The audit trail: verify, export, head."),
}
"""In the order in which they are listed."""


class _Named(TyperGroup):
    """A group of commands that remembers which of them is run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the words name."""
        name, command, rest = super().resolve_command(ctx, args)
        COMMAND.set(f"{ctx.command_path} {name}")
        return name, command, rest


class Commands(_Named):
    """All commands; their faults are told."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name all."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        """What a list says of a command."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        is_missing = place.module == _LOCAL and find_spec("authmatch_local") is None
        return TyperCommand(
            cmd_name, help=str(_not_installed.__doc__) if is_missing else place.help
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the words name, and import it."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and _imported(str(name)), rest

    def invoke(self, ctx: Any) -> object:
        """Run the command."""
        from service.cli._told import faults_told, unexpected_told

        with unexpected_told(), faults_told():
            return super().invoke(ctx)


def _imported(name: str) -> Any:
    """A command or a group, as it is run."""
    place, made = COMMANDS[name], typer.Typer()
    try:
        found = getattr(import_module(place.module), place.name)
    except ModuleNotFoundError as missing:
        if place.module != _LOCAL or str(missing.name).startswith("service"):
            raise
        made.command(name, context_settings=_ANYTHING)(_not_installed)
    else:
        if isinstance(found, typer.Typer):
            made.add_typer(found, name=name, cls=_Named)
        else:
            made.command(name)(found)
    return typer.main.get_group(made).commands[name]


def _not_installed(context: typer.Context) -> None:
    """Not installed here: it comes with the extra `local`."""
    raise BadInput(f"{context.info_name} is not installed here: install authmatch[local]")
