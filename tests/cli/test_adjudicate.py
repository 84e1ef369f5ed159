"""`authmatch adjudicate`: units drawn from the command line, on the engines of the suite."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.application.parts import Stores
from service.stores.ledger.reading import OF_CLAIM
from tests.cli.conftest import EXAMPLES, Authmatch
from tests.ground import Ground, new_prefix, settings_on, uninstall

CLAIM = EXAMPLES / "claim-professional.json"
CLAIM_ID = "C-2026-000123"
REPLAYED = "(answered before: nothing was moved)"


def claim(line: dict[str, Any] | None = None, **changes: Any) -> str:
    """The professional example; ``line`` changes its first line."""
    content = json.loads(CLAIM.read_text(encoding="utf-8"))
    content["lines"][0] |= line or {}
    return json.dumps(content | changes)


def shown(output: str) -> list[str]:
    """The lines of an output, without what is only layout."""
    return [" ".join(line.split()) for line in output.splitlines()]


def answer_of(authmatch: Authmatch, *options: str, stdin: str | None = None) -> Any:
    """The answer for programs."""
    result = authmatch("adjudicate", "-", "--json", *options, stdin=stdin or claim())
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def waiting(ground: Ground, payer: str) -> tuple[int, int]:
    """How many ledger entries wait in Redis, and how many of the claim there are in all."""

    async def count(stores: Stores) -> tuple[int, int]:
        pending = await stores.projection.pending([payer])
        if not (await stores.accumulators.read_claim(payer, CLAIM_ID)).is_known:
            return pending, 0
        page = await stores.ledger.page(payer, CLAIM_ID, OF_CLAIM, size=10, after=None)
        return pending, page.total

    return ground.run(count)


def test_an_adjudication_shows_lines_authorizations_and_balances(
    with_examples: Authmatch,
) -> None:
    """What is paid of every line and why not more, from where, and what is left there."""
    result = with_examples("adjudicate", CLAIM)
    lines = shown(result.stdout)

    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[0] == f"Claim {CLAIM_ID} version 1, member M0001: used"
    assert "1 pay 4 UN 4 UN - -" in lines
    assert "2 suspend 4 UN - - 4 UN" in lines
    assert "Line 1 97112 GP 2026-03-12 4 UN" in lines
    assert "AU-00123 UM-55012 v3 1 automatic 4 UN 240.00 14 UN" in lines
    assert "SPA-0016 Non-exact authorization match (UM-55012)" in lines
    assert "AU-00123 header UN 24 0 > 4 0 20" in lines
    assert "AU-00123 line 1 UN 18 0 > 4 0 14" in lines
    assert "AU-00123 line 1 amount none 0.00 > 240.00 0.00 -" in lines


def test_what_is_not_left_is_cut_back(with_examples: Authmatch) -> None:
    """With the adjustment, and the event that says so."""
    text = claim(line={"units": "20", "charge": "1200.00"})
    lines = shown(with_examples("adjudicate", "-", stdin=text).stdout)

    assert "1 cut_back 20 UN 18 UN 2 UN - CO-198" in lines
    assert "1200.00 1080.00 120.00" in lines
    assert "SPA-0044 Authorization units exceeded (UM-55012)" in lines


def test_a_claim_that_is_sent_again_draws_nothing(
    with_examples: Authmatch, ground: Ground, payer: str
) -> None:
    """It is answered from its record; what was moved is in Elasticsearch when the command ends."""
    first = answer_of(with_examples)
    second = answer_of(with_examples)
    again = with_examples("adjudicate", CLAIM)

    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first | {"replayed": True} == second
    assert REPLAYED in again.stdout.splitlines()[0]
    assert waiting(ground, payer) == (0, 1)


def test_a_dry_run_moves_nothing(with_examples: Authmatch, ground: Ground, payer: str) -> None:
    """And gives the answer that the claim would have."""
    result = with_examples("adjudicate", CLAIM, "--dry-run")
    dry = answer_of(with_examples, "--dry-run")

    assert "(dry run: nothing was moved)" in result.stdout.splitlines()[0]
    assert waiting(ground, payer) == (0, 0)
    assert answer_of(with_examples) | {"dry_run": True} == dry


def test_a_claim_may_be_adjudicated_anew(
    with_examples: Authmatch, ground: Ground, payer: str
) -> None:
    """What it drew is given back first, and the answer says what is other than before."""
    with_examples("adjudicate", CLAIM)
    text = claim(line={"units": "2", "charge": "120.00"})
    result = with_examples("adjudicate", "-", "--readjudicate", stdin=text)
    lines = shown(result.stdout)

    assert result.exit_code == 0
    assert "given back by the run before: line 1, 4 units, 240.00 of UM-55012" in lines
    assert "line 1: pay 4 240.00 > pay 2 120.00" in lines
    assert "AU-00123 line 1 UN 18 0 > 2 0 16" in lines
    assert waiting(ground, payer) == (0, 2)


def test_nothing_is_said_to_be_other_where_nothing_is(with_examples: Authmatch) -> None:
    """The same claim under the same rules."""
    with_examples("adjudicate", CLAIM)
    lines = shown(with_examples("adjudicate", CLAIM, "--readjudicate").stdout)

    assert lines[-2:] == ["Other than version 1 as it was run before", "nothing"]


def test_a_selection_settles_a_line(with_examples: Authmatch) -> None:
    """The event that asked for an examiner is shown as settled."""
    chosen = {"line": 2, "authorizations": [{"authorization_id": "UM-55012"}]}
    lines = shown(with_examples("adjudicate", "-", stdin=claim(selections=[chosen])).stdout)
    event = "SPA-0016 Non-exact authorization match (UM-55012)"

    assert f"{event} (settled by the selection)" in lines
    assert "AU-00123 UM-55012 v3 1 selected 4 UN 240.00 10 UN expired" in lines


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"line": {"units": "3"}},
            "version 1 of this claim was adjudicated with other content;"
            " send a higher version, or ask to readjudicate",
        ),
        ({"member": {"id": "M0002"}}, "this claim id was adjudicated for another member"),
        (
            {
                "version": 2,
                "selections": [{"line": 2, "authorizations": [{"authorization_id": "UM-1"}]}],
            },
            "the selection for line 2: UM-1 is no authorization of this member",
        ),
        (
            {
                "version": 2,
                "selections": [{"line": 9, "authorizations": [{"authorization_id": "UM-1"}]}],
            },
            "stdin: /selections/0/line: a selection is for line 9, which the claim has not",
        ),
    ],
)
def test_what_cannot_be_adjudicated_is_bad_input(
    with_examples: Authmatch, changes: Any, said: str
) -> None:
    """Nothing is done, and one line says why."""
    with_examples("adjudicate", CLAIM)
    result = with_examples("adjudicate", "-", stdin=claim(**changes))

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {said}")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["professional", "dental", "inpatient", "outpatient", "referral"])
def test_every_example_fits_the_terminal(
    with_examples: Authmatch, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """At 80 columns no line runs over."""
    monkeypatch.setenv("COLUMNS", "80")
    result = with_examples("adjudicate", EXAMPLES / f"claim-{name}.json")

    assert result.exit_code == 0
    assert "Balances" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_without_engines_it_says_which_settings_are_needed(authmatch: Authmatch) -> None:
    """As for a match."""
    result = authmatch("adjudicate", CLAIM)

    assert result.exit_code == 2
    assert "AUTHMATCH_ELASTICSEARCH_URL and AUTHMATCH_REDIS_URL are needed" in result.stderr


def test_units_are_moved_also_where_the_ledger_cannot_be_copied(
    live: Authmatch, ground: Ground, payer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is given all the same, and exit code 1 says that something is wrong."""
    settings = settings_on(
        str(ground.settings.elasticsearch_url),
        str(ground.settings.redis_url),
        index_prefix=new_prefix(),
    )
    own = Ground(settings=settings, rules=ground.rules)
    monkeypatch.setenv("AUTHMATCH_INDEX_PREFIX", settings.index_prefix)

    async def forget_the_ledger(stores: Stores) -> None:
        name = stores.indices.template("ledger")
        await stores.elasticsearch.indices.delete_index_template(name=name)

    try:
        live("load", EXAMPLES / "authorizations.ndjson")
        own.run(forget_the_ledger)
        result = live("adjudicate", CLAIM, "--json")

        assert (result.exit_code, json.loads(result.stdout)["status"]) == (1, "used")
        assert "adjudicated, but the ledger entry waits in Redis" in result.stderr
        assert own.run(lambda stores: stores.projection.pending([payer])) == 1
    finally:
        own.run(uninstall)


def test_the_claims_of_an_837_are_adjudicated_one_by_one(live: Authmatch, tmp_path: Path) -> None:
    """Each has a line for programs; exit code 1 where one is not adjudicated, with the reason."""
    text = (EXAMPLES / "claim.837").read_text(encoding="ascii")
    whole, broken = tmp_path / "whole.837", tmp_path / "broken.837"
    whole.write_text(text, encoding="ascii")
    broken.write_text(text.replace("SE*27*", "SE*30*"), encoding="ascii")
    live("load", EXAMPLES / "authorization.278.x12")

    first = live("adjudicate", whole, "--json")
    seen = live("adjudicate", whole)
    refused = live("adjudicate", broken)

    told = json.loads(first.stdout)
    assert (first.exit_code, told["claim_id"]) == (0, "CL-2026-402")
    assert told["answer"]["lines"][0]["disposition"] == "pay"
    assert REPLAYED in " ".join(seen.stdout.split())
    assert refused.exit_code == 1
    assert "not adjudicated, for its transaction set is not whole" in refused.stderr
