"""How a command ends: expected faults are one line on stderr and an exit code, no traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.markup import escape
from typer.core import TyperGroup
from typer.exceptions import TyperException

from service.application import refusals
from service.cli.terminal import err, say
from service.logs import told

PROBLEMS = 1
BAD_INPUT = 2
ENGINE_FAULT = 3
INTERRUPTED = 130


class BadInput(Exception):
    """What was given to a command cannot be used; the text says why."""


_REFUSED = (
    BadInput,
    refusals.BadCursor,
    refusals.BadPart,
    refusals.BadSelection,
    refusals.Conflict,
    refusals.MergeRefused,
    refusals.NoSuchLine,
    refusals.NoSuchStudy,
    refusals.NotDone,
    refusals.BudgetSpent,
    refusals.NotConfigured,
    refusals.NotDurable,
    refusals.NotEmpty,
    refusals.NotFound,
    refusals.NotOffered,
    refusals.RolesRefused,
    refusals.SealKeysRefused,
    refusals.Stale,
    refusals.StepRefused,
    refusals.TableFault,
)
"""Nothing was done, and the same command will be refused again."""


class Commands(TyperGroup):
    """A group of commands whose faults are told."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command."""
        with _unexpected_told(), faults_told():
            return super().invoke(ctx)


@contextmanager
def faults_told() -> Iterator[None]:
    """Tell expected faults and leave with their exit code; anything else is a fault of ours."""
    try:
        yield
    except _REFUSED as error:
        end(str(error), BAD_INPUT, error)
    except refusals.TemplatesRefused as refused:
        for problem in refused.problems:
            say(str(problem))
        end(f"{len(refused.problems)} problems in templates or tables", BAD_INPUT, refused)
    except refusals.RulesRefused as refused:
        for problem in refused.problems:
            say(str(problem))
        end("the rules are refused", PROBLEMS, refused)
    except refusals.EngineFault as fault:
        advice = ": run `authmatch index install`" if "not installed" in fault.reason else ""
        end(f"{fault}{advice}", ENGINE_FAULT, fault)
    except KeyboardInterrupt as error:
        end("interrupted", INTERRUPTED, error)
    except BrokenPipeError:
        raise  # whoever reads our output has read enough: the command framework ends quietly
    except OSError as error:
        end(f"{error.filename or 'input'}: {error.strerror or error}", BAD_INPUT, error)


@contextmanager
def _unexpected_told() -> Iterator[None]:
    """Tell a fault of ours by its kind and place: its text, and a traceback, may quote anything."""
    try:
        yield
    except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - all others
        what = told(error)
        for place in what["places"]:
            say(f"  {place}")
        causes = "".join(f", from {each}" for each in what["causes"])
        end(f"unexpected fault: {what['kind']}{causes}", PROBLEMS)


def end(message: str, code: int, cause: BaseException | None = None) -> NoReturn:
    """Say why in one line, and leave."""
    err.print(f"[red]error:[/] {escape(' '.join(message.split()))}", soft_wrap=True)
    raise typer.Exit(code) from cause
