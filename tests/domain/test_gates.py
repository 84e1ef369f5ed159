"""Gates as a file says them: what it does not name is as by default, and warnings come first."""

from typing import Any

import pytest
from pydantic import ValidationError

from service.domain.gates import BANDS, DEFAULTS, Band, BandTable, Gate, GateTable

Json = dict[str, Any]


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ({}, None),
        ({"exact_lost": {"deny": 3}}, None),
        ({"exact_lost": {"warn": 3}}, None),
        ({"exact_lost": {"deny": 3, "warn": 3}}, None),
        ({"exact_lost": {"deny": 3, "warn": 4}}, "gates/exact_lost/warn: what is denied at 3"),
        ({"few_lines": {"deny": 50, "warn": 100}}, None),
        ({"few_lines": {"deny": 50, "warn": 40}}, "gates/few_lines/warn: what is denied at 50"),
    ],
)
def test_what_is_denied_warns_before(gates: Json, said: str | None) -> None:
    """A figure may reach a bound; of few lines the bound is from above."""
    if said is None:
        assert set(GateTable(gates=gates).asked) == set(DEFAULTS)
    else:
        with pytest.raises(ValidationError, match=said):
            GateTable(gates=gates)


def test_a_gate_that_a_file_names_is_as_it_says() -> None:
    """Without a bound it is not asked."""
    asked = GateTable.model_validate({"gates": {"few_lines": {}}}).asked

    assert asked == {**DEFAULTS, "few_lines": Gate()}


def test_a_band_that_a_file_names_is_as_it_says() -> None:
    """Without a bound it is not looked at; the others are as by default."""
    asked = BandTable.model_validate({"claims_min": 10, "bands": {"overturned": {}}}).asked

    assert asked == {**BANDS, "overturned": Band()}
