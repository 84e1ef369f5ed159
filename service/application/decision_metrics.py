"""The prior authorization metrics of a year, made of what is stored: as JSON, CSV and a page."""

import asyncio
import csv
import io
from collections.abc import Iterator
from html import escape
from typing import Any, Literal, get_args

from typing_extensions import TypedDict

from service.application.parts import Caller
from service.domain.authorization import Authorization
from service.domain.decision_metrics import Metrics, Share, YearOfDecisions
from service.tuning.page import as_text

Form = Literal["json", "csv", "html"]

FIRST_YEAR, LAST_YEAR = 1900, 9998
_READ = (
    *("authorization_id", "version", "kind", "setting", "member", "decision", "received_at"),
    *("decision_extended_to", "urgency", "service_type", "service_types", "source", "effective"),
    *("requested_dates", "admission"),
    *(
        f"lines.{each}"
        for each in (
            *("line", "decision", "urgency", "service_type", "service_types", "procedure"),
            *("effective", "requested_dates", "admission", "removed_on"),
        )
    ),
)
Column = Literal[
    "approved",
    "denied",
    "partly_approved",
    "approved_after_appeal",
    "extended_and_approved",
    "in_time",
]
_COLUMNS: tuple[Column, ...] = get_args(Column)
_SMALL = "fewer than 11"


class ServiceMetrics(Metrics):
    """How requests for a service were decided."""

    service: str


class PriorAuthorizationMetrics(TypedDict):
    """How a payer decided the requests of a year, but for drugs (CMS-0057-F)."""

    year: int
    payer: str
    time_zone: str
    standard: Metrics
    expedited: Metrics
    services: list[ServiceMetrics]


async def metrics(
    caller: Caller, year: int, *, small_cells: bool = False
) -> PriorAuthorizationMetrics:
    """Count what was decided in a year; the same is stored, the same is told. Raises EngineFault.

    ``small_cells``: also counts that are too small to be published.
    """
    settings = caller.parts.settings
    counted = YearOfDecisions(year, settings.zone)

    def count(lives: list[list[Any]]) -> None:
        for versions in lives:
            counted.add([Authorization.model_validate(each) for each in versions])

    async for lives in caller.stores.reading.lives(caller.payer, _READ):
        await asyncio.to_thread(count, lives)
    return {
        "year": year,
        "payer": caller.payer,
        "time_zone": settings.time_zone,
        "standard": counted.standard.metrics(small_cells=small_cells),
        "expedited": counted.expedited.metrics(small_cells=small_cells),
        "services": [
            {"service": name, **each} for name, each in counted.services(small_cells=small_cells)
        ],
    }


def as_csv(told: PriorAuthorizationMetrics) -> str:
    """A row for each kind of request and each service."""
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\r\n")
    shares = [f"{name}_{what}" for name in _COLUMNS for what in ("count", "percent")]
    rows.writerow(["year", "requests", "decided", *shares, "mean_hours", "median_hours"])
    for name, each in _rows(told):
        counted = [each[column] for column in _COLUMNS]
        cells = [cell for share in counted for cell in (share["count"], share["percent"])]
        row = [told["year"], as_text(name), each["decided"], *cells]
        rows.writerow([*row, each["mean_hours"], each["median_hours"]])
    return file.getvalue()


def as_page(told: PriorAuthorizationMetrics) -> str:
    """A page that can be published: it needs nothing else."""
    head = "".join(f'<th scope="col">{escape(_words(each))}</th>' for each in _HEADS)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(_cells(each))}</tr>'
        for name, each in _rows(told)
    )
    title = f"Prior authorization metrics {told['year']}"
    return _PAGE.format(
        title=escape(title), payer=escape(told["payer"]), zone=escape(told["time_zone"]), head=head,
        body=body,
    )  # fmt: skip


def _rows(told: PriorAuthorizationMetrics) -> Iterator[tuple[str, Metrics]]:
    yield "standard", told["standard"]
    yield "expedited", told["expedited"]
    for each in told["services"]:
        yield each["service"], each


_HEADS = ("requests", "decided", *_COLUMNS, "mean_hours", "median_hours")


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _cells(each: Metrics) -> Iterator[str]:
    yield _cell(_SMALL if each["decided"] is None else str(each["decided"]))
    for column in _COLUMNS:
        yield _cell(_share(each[column], each["decided"]))
    for hours in (each["mean_hours"], each["median_hours"]):
        yield _cell("" if hours is None else f"{hours} h")


def _share(share: Share, decided: int | None) -> str:
    if share["count"] is None:
        return "not shown"
    return f"{share['count']} ({share['percent']} %)" if decided else "0"


def _cell(text: str) -> str:
    return f"<td>{escape(text)}</td>"


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; }}
div {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
th, td {{ border-bottom: 1px solid; padding: .4rem .7rem; text-align: right; vertical-align: top; }}
th[scope=row], th:first-child {{ text-align: left; }}
</style></head><body><h1>{title}</h1>
<p>{payer}: requests for prior authorization of items and services other than drugs that were
decided in the year (42 CFR 422.122(c), CMS-0057-F). Hours are from receipt to decision; days are
those of {zone}. Counts below 11 are not shown, nor what they could be told from.</p>
<div tabindex="0" role="region" aria-label="{title}"><table><thead><tr>{head}</tr></thead>
<tbody>{body}</tbody></table></div></body></html>
"""
