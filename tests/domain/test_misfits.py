"""What does not fit a model is said with its place, and never with its value."""

import pytest
from pydantic import ValidationError

from service.domain.claim import Claim
from service.domain.misfits import MISFITS_MAX, Misfit, misfits, pointer, refuse, repeated


def test_a_path_is_a_json_pointer() -> None:
    """Marks of its own are written otherwise (RFC 6901)."""
    assert pointer(["lines", 0, "a/b~c"]) == "/lines/0/a~1b~0c"


def test_what_is_found_later_has_its_place_too() -> None:
    """Without one it is the whole."""
    assert Misfit("no such line", "lines", 0, "line").path == "/lines/0/line"
    assert Misfit("nothing to do").path == ""


@pytest.mark.parametrize(
    ("values", "places"), [("", []), ("abc", []), ("aab", [1]), ("abab", [2, 3]), ("aaa", [1, 2])]
)
def test_what_stands_again_is_named_not_the_first(values: str, places: list[int]) -> None:
    """Each later one."""
    assert repeated(values) == places


def test_what_does_not_fit_together_is_refused_place_by_place() -> None:
    """Nothing found is nothing refused; a brace in a reason is only a brace."""
    refuse("Claim", [])
    with pytest.raises(ValidationError) as caught:
        refuse("Claim", [(("lines", 1), "a {b}"), ((), "the whole")])

    assert misfits(caught.value)[1] == [
        {"path": "/lines/1", "message": "a {b}"},
        {"path": "", "message": "the whole"},
    ]


def test_a_list_is_not_called_empty_because_something_in_it_is_wrong() -> None:
    """Only what is wrong is named; one that is empty is called so."""
    head = '{"claim_id": "C1", "type": "dental", "member": {"id": "M1"}, '
    told = []
    for lines in ('[{"line": 1, "from": "2026-03-12", "units": "x"}]', "[]"):
        with pytest.raises(ValidationError) as caught:
            Claim.model_validate_json(f'{head}"lines": {lines}}}')
        told.append([each["path"] for each in misfits(caught.value)[1]])

    assert told == [["/lines/0/units"], ["/lines"]]


@pytest.mark.parametrize(
    ("content", "reason", "count"),
    [
        ('{"claim_id": "C1", "type": "secret", "member": {"id": "M1"}, "lines": []}', "/type: ", 2),
        ("[]", "/: ", 1),
        ("{" + ", ".join(f'"x{n}": 1' for n in range(30)) + "}", "/claim_id: ", MISFITS_MAX),
    ],
)
def test_the_first_is_said_in_one_line_and_then_each(content: str, reason: str, count: int) -> None:
    """Of very many only some."""
    with pytest.raises(ValidationError) as caught:
        Claim.model_validate_json(content)

    said, places = misfits(caught.value)

    assert said.startswith(reason)
    assert (" more)" in said) is (count > 1)
    assert len(places) == count
    assert "secret" not in f"{said}{places}"
