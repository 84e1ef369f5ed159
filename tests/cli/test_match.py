"""`authmatch match` and `why-not`: answers for people and for programs."""

import json

import pytest

from tests.cli.conftest import EXAMPLES, Authmatch

CLAIM = EXAMPLES / "claim-professional.json"


def test_an_answer_shows_class_evidence_near_misses_and_events(with_examples: Authmatch) -> None:
    """What an examiner asks first: which one, how surely, why not fully, what else."""
    result = with_examples("match", CLAIM)

    shown = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert "Line 1 97112 GP 2026-03-12 4 UN" in shown
    assert "authorization: exact chosen: UM-55012 template professional v1" in shown
    assert "100 % AU-00123 UM-55012 v3 line 1 A1 certified 2026-02-20" in shown
    assert "not exact for: dates (found through match days)" in shown
    assert "dates 8/20 2026-06-03 2026-03-01..2026-05-31 3 days after the end" in shown
    assert "place_of_service 7/7 11 any" in shown
    assert "66 % AU-00131 UM-55020 A3 missed: procedure" in shown
    assert "SPA-0009 Authorization not found" in shown
    assert result.stderr == ""


def test_what_is_left_is_shown_where_it_is_asked(with_examples: Authmatch) -> None:
    """Of candidates and near misses; when they are valid always."""
    asked = with_examples("match", CLAIM, "--balances").stdout
    plain = with_examples("match", CLAIM).stdout

    assert "valid 2026-03-01..2026-05-31, H 24 of 24 UN left, L1 18 of 18 UN left" in asked
    assert "valid 2026-03-01..2026-05-31" in [line.strip() for line in plain.splitlines()]
    assert "left" not in plain


@pytest.mark.parametrize("name", ["dental", "inpatient", "outpatient", "referral"])
def test_every_example_can_be_shown(with_examples: Authmatch, name: str) -> None:
    """Each of the five templates has its own kind of line."""
    result = with_examples("match", EXAMPLES / f"claim-{name}.json")

    assert result.exit_code == 0
    assert f"template {name} v1" in result.stdout


def test_nothing_is_wider_than_the_terminal(
    with_examples: Authmatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 80 columns dates stay whole and no line runs over."""
    monkeypatch.setenv("COLUMNS", "80")

    lines = with_examples("match", CLAIM).stdout.splitlines()

    assert max(map(len, lines)) <= 80
    assert any("2026-03-01..2026-05-31" in line for line in lines)


def test_programs_get_the_answer_of_the_api(with_examples: Authmatch) -> None:
    """The claim may come from stdin."""
    result = with_examples("match", "-", "--json", stdin=CLAIM.read_text(encoding="utf-8"))

    answer = json.loads(result.stdout)
    classes = [line["results"][0]["class"] for line in answer["lines"]]
    assert classes == ["exact", "non-exact", "exact", "none"]


@pytest.mark.parametrize(
    ("claim", "said"),
    [("{", "error: stdin: /: Invalid JSON"), ('{"claim_id": "C"}', "error: stdin: /type: Field")],
)
def test_a_claim_that_does_not_fit_is_bad_input(
    authmatch: Authmatch, claim: str, said: str
) -> None:
    """The place and the reason, in one line."""
    result = authmatch("match", "-", stdin=claim)

    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    assert len(result.stderr.splitlines()) == 1


def test_without_engines_it_says_which_settings_are_needed(authmatch: Authmatch) -> None:
    """The two variables are named."""
    result = authmatch("match", CLAIM)

    assert result.exit_code == 2
    assert "AUTHMATCH_ELASTICSEARCH_URL and AUTHMATCH_REDIS_URL are needed" in result.stderr


@pytest.mark.parametrize(
    ("line", "number", "said"),
    [
        (
            4,
            "au 00123",
            "it is a near miss: 70 of 100 points, 70 %; points on procedure",
        ),
        (1, "AU-00123", "it covers the line: exact, 100 of 100 points, 100 %"),
        (1, "ZZ-1", "no current authorization of this member carries this number"),
    ],
)
def test_why_not_says_what_is_in_the_way(
    with_examples: Authmatch, line: int, number: str, said: str
) -> None:
    """What bars the match comes first, or that nothing does."""
    result = with_examples("why-not", CLAIM, "--line", line, "--number", number)

    assert result.exit_code == 0
    assert said in result.stdout


def test_why_not_names_the_requirement_that_fails(with_examples: Authmatch) -> None:
    """Asked as a referral, an authorization is not even a candidate."""
    asked = ("why-not", CLAIM, "--line", 1, "--number", "AU-00123", "--type", "referral")

    shown = " ".join(with_examples(*asked).stdout.split())
    answer = json.loads(with_examples(*asked, "--json").stdout)

    assert "it is no candidate: require kind (kind: claim referral, authorization" in shown
    assert answer["findings"][0]["failed_requirement"]["id"] == "kind"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--line", 9, "--number", "A1"), "the claim has no line 9"),
        (("--line", 1, "--number", "--"), "--number: a number has letters or digits"),
    ],
)
def test_why_not_refuses_a_question_without_sense(
    with_examples: Authmatch, options: tuple[object, ...], said: str
) -> None:
    """One line on stderr."""
    result = with_examples("why-not", CLAIM, *options)

    assert (result.exit_code, result.stderr) == (2, f"error: {said}\n")
