"""What comes under another name of an authorization is a version of it, in whatever order."""

from itertools import permutations
from typing import Any

import pytest

from service.application.parts import Stores
from service.domain.submission import Pushed
from tests.builders import build_claim
from tests.ground import Ground, found, push, version_of

NAME, OTHER, CHANGE = (
    f"authorization.{each}.0123456789abcdef" for each in ("trace", "response", "change")
)
GRANT = version_of(500, authorization_id="G", number="AU-1", aliases=[NAME, OTHER])
BY_CHANGE = version_of(500, authorization_id="G", number="AU-1", aliases=[CHANGE])
EARLY = version_of(250, authorization_id="G", number="AU-1", aliases=[NAME])
PENDED = version_of(250, authorization_id=NAME, number=None, decision={"action": "A4"})


def said(name: str, version: int, action: str, **more: Any) -> Pushed:
    """What is said of a grant by a name, without its number."""
    return version_of(
        version, authorization_id=name, number=None, decision={"action": action}, **more
    )


@pytest.mark.parametrize(
    ("pushed", "stands"),
    [
        ([PENDED, GRANT], ["G"]),
        ([GRANT, said(NAME, 750, "C")], []),
        ([GRANT, said(OTHER, 750, "C")], []),
        ([GRANT, said(NAME, 250, "C")], ["G"]),
        ([EARLY, said(OTHER, 750, "C"), GRANT], []),
        # A name of a name leads to the grant, too.
        ([said(NAME, 750, "C", aliases=[OTHER]), version_of(500, authorization_id="G",
                                                            aliases=[OTHER])], []),
        # A change that was not granted replaces nothing, however late.
        ([BY_CHANGE, said(CHANGE, 900, "A3")], ["G"]),
        # Who replaces what is known by a name replaces the grant that it names.
        ([GRANT, version_of(800, authorization_id="H", supersedes=NAME, number="N-2")], ["H"]),
    ],
)  # fmt: skip
def test_what_comes_by_a_name_is_of_the_grant(
    ground: Ground, payer: str, pushed: list[Pushed], stands: list[str]
) -> None:
    """One grant is found, or none if it was cancelled, whichever message came first."""

    async def scenario(stores: Stores) -> None:
        for turn, order in enumerate(permutations(pushed)):
            for each in order:
                await push(stores, f"{payer}-{turn}", each)

            assert await found(stores, f"{payer}-{turn}", build_claim()) == stands, order

    ground.run(scenario)


def test_the_sender_is_told_under_which_id_it_went(ground: Ground, payer: str) -> None:
    """And a later pend by the name is an old version of the grant, which keeps its number."""

    async def scenario(stores: Stores) -> None:
        (created,) = await stores.authorizations.push(payer, [GRANT])
        (late,) = await stores.authorizations.push(payer, [PENDED])
        (denied,) = await stores.authorizations.push(payer, [said(NAME, 600, "A3")])
        again = await push(stores, payer, GRANT, said(NAME, 600, "A3"))

        assert (created.authorization_id, created.status) == ("G", "created")
        assert (late.authorization_id, late.status, late.current_version) == (
            "G",
            "superseded",
            500,
        )
        assert (denied.authorization_id, denied.status) == ("G", "updated")
        assert again == ["superseded", "unchanged"]
        claim = build_claim(authorization_numbers=[{"value": "AU-1"}])
        assert await found(stores, payer, claim) == ["G"]

    ground.run(scenario)
