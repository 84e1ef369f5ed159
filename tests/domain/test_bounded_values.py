"""Values that cannot be kept as they are, or that nobody can see, are refused with their place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.claim import LINE_DAYS_MAX, Claim
from service.domain.grant_identity import newest_version, version_at
from service.domain.values import VERSION_MAX
from tests.builders import build_authorization, build_claim

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attached", "fits"),
    [
        ({}, True),
        ({"a": 2**63 - 1, "b": -(2**63), "c": [1.5, None, True, "x"], "d": {"e": [{}]}}, True),
        ({"a": 2**63}, False),
        ({"a": -(2**63) - 1}, False),
        ({"a": [{"b": [2**70]}]}, False),
        ({"a": 1e30}, False),
        ({"a": float("inf")}, False),
        ({"a": float("nan")}, False),
    ],
)
def test_attached_numbers_fit_into_64_bits(attached: dict[str, Any], fits: bool) -> None:
    """Of a claim, its lines and an authorization."""
    for make in (build_claim, build_authorization):
        if fits:
            make(attached=attached)
        else:
            with pytest.raises(ValidationError, match="64 bits"):
                make(attached=attached)


@pytest.mark.parametrize("version", [0, -1, 2**53, 2**63, 2**70, "1", 1.0, True])
def test_a_version_can_be_counted(version: object) -> None:
    """From 1 to what Redis counts exactly, of claims as of authorizations."""
    for make in (build_claim, build_authorization):
        assert make(version=VERSION_MAX).version == VERSION_MAX
        with pytest.raises(ValidationError) as refused:
            make(version=version)
        assert refused.value.errors()[0]["loc"] == ("version",)


@pytest.mark.parametrize(
    ("number", "fits"),
    [
        ("AU-1 2", True),
        ("AU-É1", True),
        ("A\0B", False),
        ("A\u202eB", False),
        ("A\u200bB", False),
        ("A\nB", False),
        ("A\u00adB", False),
        ("\ufeffAB", False),
    ],
)
def test_a_number_can_be_seen(number: str, fits: bool) -> None:
    """No control characters, nothing of no width, nothing that turns the text around."""
    for field in ({"number": number}, {"previous_numbers": (number,)}):
        if fits:
            build_authorization(**field)
        else:
            with pytest.raises(ValidationError, match="cannot be seen"):
                build_authorization(**field)


@pytest.mark.parametrize(
    ("lines", "statement", "fits"),
    [
        (LINE_DAYS_MAX // 31, None, True),
        (999, "2026-01-30", True),
        (999, "2026-12-31", False),
        (84, "2026-12-31", True),
        (85, "2026-12-31", False),
    ],
)
def test_the_days_of_a_claim_are_bounded(lines: int, statement: str | None, fits: bool) -> None:
    """Of its lines, or of the statement where they have none; a month for each of all lines."""
    span = {"from": "2026-01-01", "to": statement}
    fields: dict[str, Any] = {
        "claim_id": "C",
        "type": "institutional",
        "member": {"id": "M"},
        "statement": span if statement else {},
        "lines": [
            {"line": each + 1} | ({} if statement else {"from": "2026-01-01", "to": "2026-01-31"})
            for each in range(lines)
        ],
    }
    if fits:
        Claim.model_validate(fields)
    else:
        with pytest.raises(ValidationError, match=f"more than {LINE_DAYS_MAX}"):
            Claim.model_validate(fields)


def test_no_version_is_beyond_tomorrow() -> None:
    """Whatever is made of a time by then fits; a date of the distant future does not."""
    newest = newest_version(NOW)
    for ahead in (timedelta(0), timedelta(hours=23)):
        made = version_at(NOW + ahead, ["A3"], 249)
        assert made is not None
        assert made <= newest
    for usual in (1, 20261129, 20261129235959, int(NOW.timestamp() * 1_000_000)):
        assert usual < newest
    later = version_at(NOW + timedelta(days=2), [], 0)
    assert later is not None
    assert newest < later < VERSION_MAX
