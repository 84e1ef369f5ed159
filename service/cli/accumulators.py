"""`authmatch accumulators`: whether the units in Redis are those of the ledger, or made so."""

from collections import Counter
from dataclasses import asdict
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from service.application import corrections, maintenance
from service.application.maintenance import Outcome
from service.cli.configuration import JsonOption, PayerOption, payer_of, read_settings
from service.cli.faults import PROBLEMS, BadInput
from service.cli.opened import run_for_payer, run_shown, run_with
from service.cli.terminal import put, put_answer, put_json, say
from service.domain.correction import BalanceCorrection
from service.domain.misfits import misfits
from service.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Units used: reconcile, project, archive, rebuild, correct."
)

PayerOnly = Annotated[
    str | None, typer.Option("--payer", help="Only this payer; without it all.", metavar="ID")
]


@app.command()
def reconcile(payer: PayerOnly = None, as_json: JsonOption = False) -> None:
    """Compare the accumulators with the ledger, field by field; exit code 1 for any difference.

    Units may be moved meanwhile.
    """
    settings, payers = _only(payer)
    found = run_shown(
        settings, "comparing", lambda parts, tell: maintenance.reconcile(parts, payers, tell)
    )
    if as_json:
        put_json(_report(found) | {"difference_count": found.difference_count})
    else:
        _tell_differences(found)
        left_out = found.difference_count - len(found.differences)
        if left_out:
            say(f"and {left_out} more")
        put(f"{_counted(found)}: {found.difference_count or 'no'} differences")
        put(f"digest {found.digest}")
    if found.difference_count:
        raise typer.Exit(PROBLEMS)


@app.command()
def project(payer: PayerOnly = None, as_json: JsonOption = False) -> None:
    """Copy the ledger entries that wait in Redis to Elasticsearch now."""
    settings, payers = _only(payer)
    count = run_with(settings, lambda parts: maintenance.project(parts, payers))
    put_answer({"entries": count}, f"{count} ledger entries copied", as_json=as_json)


@app.command()
def archive(payer: PayerOnly = None, as_json: JsonOption = False) -> None:
    """Take what nobody moved for AUTHMATCH_REST_DAYS out of Redis now; workers do so every hour."""
    settings, payers = _only(payer)
    count = run_with(settings, lambda parts: maintenance.archive(parts, payers))
    put_answer({"archived": count}, f"{count} claims and accounts archived", as_json=as_json)


@app.command()
def rebuild(
    payer: PayerOnly = None,
    force: Annotated[
        bool, typer.Option("--force", help="Drop the accumulators that there are first.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the accumulators anew from the ledger, after Redis has lost them; stop pushes first.

    Until it is done nothing of these payers is adjudicated. Exit code 1: the ledger is not sound.
    """
    settings, payers = _only(payer)
    made = run_shown(
        settings,
        "rebuilding",
        lambda parts, tell: maintenance.rebuild(parts, payers, force=force, tell=tell),
    )
    if as_json:
        put_json(_report(made))
    else:
        _tell_differences(made)
        put(f"rebuilt: {_counted(made)}")
        put(f"digest {made.digest}")
    if made.differences:
        raise typer.Exit(PROBLEMS)


@app.command()
def correct(  # noqa: PLR0913 - one option for each field
    authorization_id: Annotated[str, typer.Argument(metavar="AUTHORIZATION")],
    account: Annotated[str, typer.Option("--account", help="As balances show it: H, L1 ...")],
    correction_id: Annotated[str, typer.Option("--id", help="Yours: the same corrects once.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit.")],
    units: Annotated[str, typer.Option("--units", help="Added to what is used; -2: less.")] = "0",
    amount: Annotated[str, typer.Option("--amount")] = "0",
    service_days: Annotated[str, typer.Option("--service-days")] = "0",
    by: Annotated[
        str | None, typer.Option("--by", help="For whom, where it is not for yourself.")
    ] = None,
    payer: PayerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Correct what is used of one account of an authorization, with a reason."""
    try:
        asked = BalanceCorrection.model_validate(
            {
                "account": account,
                "correction_id": correction_id,
                "reason": reason,
                "units": units,
                "amount": amount,
                "service_days": service_days,
                "by": by,
            }
        )
    except ValidationError as error:
        raise BadInput(misfits(error, most=1)[0]) from error
    done = run_for_payer(lambda caller: corrections.correct(caller, authorization_id, asked), payer)
    told = "corrected" if done["changed"] else "it was corrected before"
    left = done["account"]["units"]["remaining"]
    put_answer(done, f"{told}: {left or 'no limit of'} units are left", as_json=as_json)


def _only(payer: str | None) -> tuple[Settings, tuple[str, ...]]:
    settings = read_settings()
    return settings, () if payer is None else (payer_of(payer, settings),)


def _counted(done: Outcome) -> str:
    return f"{done.entries} ledger entries, {done.hashes} hashes ({done.archived} at rest)"


def _report(done: Outcome) -> dict[str, Any]:
    counts = ("payers", "entries", "hashes", "archived", "digest")
    return {name: getattr(done, name) for name in counts} | {
        "differences": [
            {"payer": payer, **asdict(difference)} for payer, difference in done.differences
        ],
        "claims": [
            {"payer": payer, "claim_id": claim_id, "stands_in": where}
            for (payer, claim_id), where in sorted(done.claims.items())
        ],
    }


def _tell_differences(done: Outcome) -> None:
    for payer, difference in done.differences:
        seen = f" (entry {difference.entry})" if difference.entry else ""
        put(
            f"{payer}: {difference.what}, {difference.field}:"
            f" ledger {difference.expected}, found {difference.found}{seen}"
        )
    if done.claims:
        stand = Counter(done.claims.values())
        put(
            f"claims that differ: {stand['ledger']} in the ledger alone, {stand['redis']} in Redis"
            f" alone, {stand['both']} in both; --json names all"
        )
