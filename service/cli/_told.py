"""Tells the expected faults of commands; imported when one is run, as it knows all their kinds."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from typer.exceptions import TyperException

from service.application import refusals
from service.cli.faults import BAD_INPUT, ENGINE_FAULT, INTERRUPTED, PROBLEMS, BadInput, end
from service.cli.terminal import say
from service.domain.misfits import Misfit
from service.logs import told

_REFUSED = (
    BadInput,
    refusals.BadCursor,
    refusals.BadPart,
    refusals.BadSelection,
    refusals.Conflict,
    refusals.DocumentRefused,
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
    refusals.RequestConflict,
    refusals.RolesRefused,
    refusals.SealKeysRefused,
    refusals.Stale,
    refusals.StepRefused,
    refusals.TableFault,
    Misfit,
)
"""Nothing was done, and the same command will be refused again."""


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
def unexpected_told() -> Iterator[None]:
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
