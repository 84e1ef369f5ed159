"""What an alert says, and what becomes of it."""

from dataclasses import replace

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from service.domain.actor import Actor
from service.domain.alert import Alert, AlertTable, alert_id, fields_of, read_alert
from service.settings import shipped

USED = Alert(
    alert_id=alert_id("used", "A-1", "H", 20),
    kind="used",
    authorization_id="A-1",
    member_id="M0001",
    account="H",
    measure="units",
    unit="VS",
    granted="20",
    committed="17",
    left="3",
    since="2026-06-01T09:00:00.000+00:00",
)
LEE = Actor(by="key:desk", on_behalf_of="lee")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "17 of 20 VS used or reserved, and the period is not over"),
        ({"kind": "left"}, "3 VS left"),
        (
            {"kind": "negative", "committed": "22", "unit": None},
            "22 of 20 used or reserved: more than is granted",
        ),
        ({"kind": "ending", "day": "2026-06-30"}, "it ends on 2026-06-30"),
        ({"kind": "pended", "day": "2026-05-01"}, "it is pended since 2026-05-01"),
        ({"kind": "decision-due", "due": "2026-05-08T00:00"}, "to be decided by 2026-05-08T00:00"),
        (
            {"kind": "document-missing", "day": "2026-05-01"},
            "entered by hand on 2026-05-01, and without a document",
        ),
        ({"kind": "document-missing", "request_id": "R-1"}, "the payer asks for a document"),
        ({"kind": "follow-up", "day": "2026-05-01"}, "to be followed up on 2026-05-01"),
        ({"kind": "appeal", "day": "2026-05-01"}, "denied, and to be appealed by 2026-05-01"),
    ],
)
def test_an_alert_says_what_it_is_about(changes: dict[str, str], says: str) -> None:
    """In a sentence that names nobody."""
    one = replace(USED, **changes)  # type: ignore[arg-type]
    assert one.says == one.as_answer()["says"] == says
    assert "M0001" not in repr(one)


def test_what_becomes_of_an_alert() -> None:
    """Dismissed by somebody, over by itself, open again as what was told; with figures of now."""
    told = replace(USED, told=("lee|email",))
    dismissed = told.dismissed(at="then", actor=LEE, why="seen")
    ended = told.ended("then")

    assert (dismissed.state, dismissed.by, dismissed.on_behalf_of) == (
        "dismissed",
        "key:desk",
        "lee",
    )
    assert (ended.state, ended.is_open, ended.by) == ("over", False, None)
    assert ended.again(USED) == told
    assert told.now(replace(USED, committed="18", left="2")).committed == "18"
    assert told.now(None) is told
    assert "told" not in told.as_answer()
    assert read_alert(fields_of(told)) == told
    assert read_alert({name: each for name, each in fields_of(USED).items() if each}) == USED


def test_the_table_that_is_shipped_is_that_of_the_seeds() -> None:
    """More than 80 % (000), one month (002)."""
    file = shipped("queries") / "reference" / "alerts.yaml"
    table = AlertTable.model_validate(YAML(typ="safe", pure=True).load(file.read_text()))
    assert (table.used_percent, table.ending_months) == (80, 1)


@pytest.mark.parametrize(
    "wrong", [{"used_percent": 101}, {"left": {"VS": "-1"}}, {"pended_days": "7"}, {"other": 1}]
)
def test_a_table_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    """As any other."""
    with pytest.raises(ValidationError):
        AlertTable.model_validate(wrong)
