"""Every event of the shipped codes is raised by a claim that is adjudicated over HTTP."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.adjudication.desk import Desk
from tests.builders import event_codes

HOW: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(
    Path(__file__).with_name("event_codes.yaml").read_text(encoding="utf-8")
)
GAPS = {7, 25}
"""Numbers that seed 001 leaves out, and that stay unassigned."""


@pytest.mark.parametrize("code", sorted(HOW))
def test_an_event_is_raised_as_the_codes_say(desk: Desk, code: str) -> None:
    """Name, severity and action are those of its code; a line that is to wait is suspended."""
    how = HOW[code]
    for each in how.get("authorizations", ()):
        assert desk.push(**{"query": how["query"], **each}).is_success
    rules = how.get("rules", "shipped")
    answer = desk.adjudicate(how["query"], rules=rules, **how.get("claim", {}))
    assert answer.is_success, answer.text
    raised = [
        (line, event)
        for line in answer.json()["lines"]
        for event in line["events"]
        if event["code"] == code
    ]
    text = event_codes().events[code]

    assert raised, [each["code"] for line in answer.json()["lines"] for each in line["events"]]
    for line, event in raised:
        assert (event["name"], event["severity"]) == (text.name, text.severity)
        assert event["action"] == text.action
        assert text.action != "suspend" or line["disposition"] == "suspend"


def test_every_code_is_raised() -> None:
    """The table covers all codes of the shipped file, but the one of an examiner's own."""
    assert HOW.keys() == event_codes().events.keys() - {"AUM-0011"}


def test_all_codes_of_the_seed_are_there() -> None:
    """SPA-0001 to SPA-0048, without the two numbers that the seed leaves out."""
    seed = {f"SPA-{number:04}" for number in range(1, 49) if number not in GAPS}

    assert len(seed) == 46
    assert seed == {code for code in event_codes().events if code.startswith("SPA")}
