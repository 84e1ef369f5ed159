"""Commands are rows of the audit trail, and `authmatch audit` says whether it is whole."""

import json
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from service.application.parts import Stores
from service.cli import app
from service.stores.audit.reading import Wanted
from tests.cli.conftest import EXAMPLES, Authmatch
from tests.ground import Ground
from tests.test_docs import commands

CLAIM, CHARGE = EXAMPLES / "units-exact.json", EXAMPLES / "charge.json"
FOR_A_PAYER: dict[str, tuple[object, ...]] = {
    "authmatch load": (EXAMPLES / "authorizations.ndjson",),
    "authmatch match": (CLAIM,),
    "authmatch adjudicate": (CLAIM,),
    "authmatch claims populate": (CLAIM,),
    "authmatch charges check": (CHARGE,),
    "authmatch charges attach": (CHARGE, "--authorization", "no-such"),
    "authmatch charges detach": ("no-such",),
    "authmatch report cms0057": ("--year", "2026"),
    "authmatch request new": (EXAMPLES / "request.json",),
    "authmatch request send": ("no-such",),
    "authmatch request status": ("no-such",),
    "authmatch request renew": ("no-such", "--id", "R-2"),
    "authmatch why-not": (CLAIM, "--line", "1", "--number", "AU-1"),
    "authmatch accumulators correct": (
        "no-such",
        "--account",
        "H",
        "--id",
        "k",
        "--units",
        "1",
        "--reason",
        "r",
    ),
    "authmatch deadletters list": (),
    "authmatch deadletters show": ("no-such",),
    "authmatch deadletters retry": ("no-such",),
    "authmatch deadletters drop": ("no-such", "--why", "r"),
    "authmatch authorization add": (EXAMPLES / "entry.json",),
    "authmatch authorization confirm": ("no-such",),
    "authmatch alerts list": (),
    "authmatch worklist list": (),
    "authmatch worklist counts": (),
    "authmatch worklist next": (),
    "authmatch worklist show": ("no-such",),
    "authmatch worklist take": ("no-such",),
    "authmatch worklist release": ("no-such",),
    "authmatch worklist skip": ("no-such", "--reason", "x"),
    "authmatch worklist hold": ("no-such",),
    "authmatch worklist assign": ("0" * 24, "--to", "lee"),
    "authmatch worklist resolve": ("no-such", "--action", "no-action"),
    "authmatch worklist undo": ("no-such",),
    "authmatch members merge": ("M-1", "M-2"),
    "authmatch keys make": ("desk", "--role", "auditor"),
    "authmatch keys list": (),
    "authmatch keys rotate": ("0123456789abcdef",),
    "authmatch keys revoke": ("0123456789abcdef",),
    "authmatch session link": (),
    "authmatch audit export": ("--member", "M0777"),
}
"""Each with words that lead it to the stores."""
OF_RULES = ("rules", "study", "evaluate", "sweep", "suggest", "golden")
"""They show rules and studies, not a person who was asked for."""
OF_NOBODY = {
    "authmatch session end",
    "authmatch serve", "authmatch run", "authmatch doctor", "authmatch sample",
    "authmatch index install", "authmatch index migrate", "authmatch index reseal",
    "authmatch accumulators reconcile", "authmatch accumulators project",
    "authmatch accumulators archive", "authmatch accumulators rebuild",
    "authmatch audit verify", "authmatch audit head",
}  # fmt: skip
"""They show nobody's data; a rebuild is a row of every payer all the same."""


def told(ground: Ground, payer: str) -> list[dict[str, Any]]:
    """All rows of a payer, the oldest first."""

    async def scenario(stores: Stores) -> list[Any]:
        page = await stores.trail_reading.page(payer, Wanted(), size=500, after=None)
        return list(reversed(page.entries))

    return ground.run(scenario)


def test_every_command_is_known_to_be_a_row_or_none() -> None:
    """A new one must be looked at."""
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    there = {each for each in commands(group, "authmatch") if " engines " not in each}
    there = {each for each in there if each.split()[1] not in OF_RULES}
    assert there == set(FOR_A_PAYER) | OF_NOBODY


def test_every_command_for_a_payer_is_a_row(live: Authmatch, ground: Ground, payer: str) -> None:
    """Done or refused, by the user of the machine; also one that only looked."""
    for command, words in FOR_A_PAYER.items():
        live(*command.split()[1:], *words)

    rows = told(ground, payer)
    assert {row["what"] for row in rows} == set(FOR_A_PAYER)
    assert all(row["by"].startswith("local:") for row in rows)
    by_command = {row["what"]: row for row in rows}
    assert by_command["authmatch match"]["claims"]
    assert by_command["authmatch adjudicate"]["outcome"] == "moved"
    assert by_command["authmatch worklist show"]["outcome"] == "refused"
    assert by_command["authmatch audit export"]["persons"]


def test_a_trail_is_silent_until_somebody_touches_it(
    live: Authmatch, ground: Ground, payer: str
) -> None:
    """Then the place is said, and the exit code is 1; a head that was kept is known again."""
    for _ in range(3):
        assert live("match", CLAIM).exit_code == 0
    whole = live("audit", "verify", "--payer", payer)
    head = live("audit", "head", "--payer", payer).stdout.split()[1]
    since = live("audit", "verify", "--payer", payer, "--after", head)
    wrong = live("audit", "verify", "--payer", payer, "--after", f"{head}0")
    unnamed = live("audit", "verify", "--after", head)

    async def tamper(stores: Stores) -> None:
        await stores.trail_projection.project(payer)
        found = await stores.elasticsearch.indices.get(index=stores.indices.audits)
        place: dict[str, Any] = {"index": list(found.body)[-1], "id": f"{payer}|2"}
        document = dict((await stores.elasticsearch.get(**place))["_source"])
        await stores.elasticsearch.index(**place, document={**document, "by": "local:other"})

    ground.run(tamper)
    touched = live("audit", "verify", "--payer", payer)

    assert (whole.exit_code, whole.output, since.exit_code, since.output) == (0, "", 0, "")
    assert (wrong.exit_code, unnamed.exit_code) == (2, 2)
    assert (touched.exit_code, touched.stdout) == (1, f"{payer}: row 2: not as it was written\n")


@pytest.mark.parametrize("days", [("--since", "2020-01-01"), ("--until", "2020-01-01")])
def test_an_export_is_a_row_a_line(live: Authmatch, days: tuple[str, str]) -> None:
    """Who saw the data of a member, within days; of another member nothing."""
    assert live("match", CLAIM).exit_code == 0
    member = json.loads(CLAIM.read_text())["member"]["id"]
    found = live("audit", "export", "--member", member, *days)
    other = live("audit", "export", "--member", "M-other", *days)
    wrong = live("audit", "export", "--since", "yesterday")

    whats = [json.loads(line)["what"] for line in found.stdout.splitlines()]
    assert whats == (["authmatch match"] if days[0] == "--since" else [])
    assert (other.exit_code, other.stdout, wrong.exit_code) == (0, "", 2)
