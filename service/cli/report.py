"""`authmatch report`: what a payer publishes."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from service.application import decision_metrics
from service.application.decision_metrics import FIRST_YEAR, LAST_YEAR, Form
from service.cli.configuration import PayerOption
from service.cli.opened import run_for_payer

app = typer.Typer(no_args_is_help=True, help="What is published: cms0057.")


@app.callback()
def _group() -> None:
    """What is published."""


@app.command()
def cms0057(
    year: Annotated[
        int, typer.Option("--year", min=FIRST_YEAR, max=LAST_YEAR, help="Decided in this year.")
    ],
    form: Annotated[Form, typer.Option("--form", help="As what.")] = "json",
    output: Annotated[
        Path | None, typer.Option("--output", help="Where it goes, instead of stdout.")
    ] = None,
    small_cells: Annotated[
        bool, typer.Option("--small-cells", help="Also counts below 11; not to be published.")
    ] = False,
    payer: PayerOption = None,
) -> None:
    """Tell how requests were decided in a year, as CMS-0057-F has payers publish it."""
    found = run_for_payer(
        lambda caller: decision_metrics.metrics(caller, year, small_cells=small_cells), payer
    )
    if form == "csv":
        text = decision_metrics.as_csv(found)
    elif form == "html":
        text = decision_metrics.as_page(found)
    else:
        text = orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_bytes(text.encode())
