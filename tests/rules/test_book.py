"""The books in force: by payer and first day of service, all of them replaced in one step."""

from dataclasses import replace
from datetime import date

import pytest

from service.domain.claim import Claim
from service.querying.problem import TemplatesRefused
from service.rules.book import (
    EVERYBODY,
    RuleBook,
    Rules,
    RulesUnknown,
    Staged,
    StoredReferencesDiffer,
    share_of,
)
from service.rules.rule_set import RuleSet
from service.rules.texts import book_of, load_texts, read_folder
from tests.builders import QUERIES, build_claim

TEXTS = read_folder(QUERIES)
BOOK = load_texts(TEXTS).book
APRIL = date(2026, 4, 1)


def named(name: str) -> RuleBook:
    """The shipped rules, by another name."""
    return replace(BOOK, name=name)


def claim_on(*days: str) -> Claim:
    """A claim with a line of each day."""
    lines = [
        {"line": place, "procedure": "97110", "from": day} for place, day in enumerate(days, 1)
    ]
    return build_claim("professional", lines=lines)


@pytest.mark.parametrize(
    ("payer", "days", "name"),
    [
        ("own", ("2026-03-31",), "march"),
        ("own", ("2026-04-01",), "april"),
        ("own", ("2026-04-02", "2026-03-31"), "march"),
        ("other", ("2026-03-31",), "all"),
        ("other", ("2026-04-01",), "all"),
    ],
)
def test_a_claim_is_judged_by_the_book_of_its_first_day(
    payer: str, days: tuple[str, ...], name: str
) -> None:
    """Of its payer, else of all that have none of their own; one book a claim."""
    rules = Rules(named("before"))
    rules.put(
        {
            EVERYBODY: ((date.min, named("all")),),
            "own": ((date.min, named("march")), (APRIL, named("april"))),
        }
    )
    claim = claim_on(*days)

    assert rules.judging(payer, claim).name == name
    assert rules.of(payer, min(map(date.fromisoformat, days))).name == name


def test_nothing_is_judged_before_the_rules_are_known() -> None:
    """It is a fault of an engine, to be tried again, and never another set."""
    rules = Rules(None)
    with pytest.raises(RulesUnknown):
        rules.of("p", APRIL)
    with pytest.raises(RulesUnknown):
        rules.judging("p", claim_on("2026-04-01"))


def test_a_book_that_stores_otherwise_is_not_put_in_force() -> None:
    """Neither beside others, nor before any was."""
    other = load_texts(
        TEXTS | {"reference/attached.yaml": 'kind: attached-fields\nversion: "1"\nfields: {}\n'}
    )
    stored = replace(BOOK, references=other.references)
    rules = Rules(None)
    rules.expect(BOOK.stored)
    with pytest.raises(StoredReferencesDiffer, match="authmatch index migrate"):
        rules.replace(stored)
    rules.replace(BOOK)
    with pytest.raises(StoredReferencesDiffer):
        rules.put({EVERYBODY: ((date.min, BOOK),), "p": ((date.min, stored),)})
    assert rules.of("p", APRIL) is BOOK


def test_a_book_has_the_name_of_its_set() -> None:
    """Its number and the beginning of its hash; of texts that are not kept, none."""
    assert book_of(RuleSet(TEXTS, 7)).name == RuleSet(TEXTS, 7).name
    assert BOOK.name == RuleSet(TEXTS).name


def test_a_template_that_is_not_there_is_told() -> None:
    """And a plan that was relaxed is made once."""
    plan = BOOK.plan("professional")
    assert BOOK.relaxed(plan, 0) is BOOK.relaxed(plan, 0)
    assert BOOK.query_type(plan) == "professional"
    assert BOOK.events(plan, "professional").query_type == "professional"
    with pytest.raises(TemplatesRefused, match="no-such"):
        BOOK.plan("no-such")


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"base.yaml": "x" * 300_000}, "longer than"),
        ({f"a{n}.yaml": "" for n in range(501)}, "too large"),
        ({f"reference/a{n}.yaml": "x" * 250_000 for n in range(9)}, "too large"),
    ],
)
def test_a_set_that_is_too_large_is_not_parsed(texts: dict[str, str], told: str) -> None:
    """A worker parses sets beside its claims."""
    loaded = load_texts(texts)

    assert [each.code for each in loaded.problems] == ["T001"]
    assert told in loaded.problems[0].message
    with pytest.raises(TemplatesRefused):
        _ = loaded.book


def judged_by(rules: Rules, payer: str, claims: int = 400) -> dict[str, int]:
    """How many of some claims each book judges."""
    found: dict[str, int] = {}
    for number in range(claims):
        claim = build_claim("professional", claim_id=f"C-{number}")
        name = rules.judging(payer, claim).name
        assert rules.judging(payer, claim).name == name
        found[name] = found.get(name, 0) + 1
    return found


def staging(share: float, *, only: str | None = None, over: str = "1:a") -> Rules:
    """Two books for all, of which one is in stages, and one of a payer of its own."""
    rules = Rules(None)
    staged = Staged(book=named("2:b"), over=over, share=share, only=only)
    rules.put(
        {EVERYBODY: ((date.min, named("1:a")),), "own": ((date.min, named("1:a")),)},
        {EVERYBODY: staged},
    )
    return rules


@pytest.mark.parametrize(
    ("rules", "payer", "least", "most"),
    [
        (staging(0.25), "p", 70, 130),
        (staging(1.0), "p", 400, 400),
        (staging(1.0, only="p"), "p", 400, 400),
        (staging(1.0, only="p"), "q", 0, 0),
        (staging(1.0), "own", 0, 0),
        (staging(1.0, over="3:c"), "p", 0, 0),
    ],
    ids=["a share", "all", "one payer", "another payer", "own rules", "in place of another set"],
)
def test_a_set_in_stages_judges_its_share(rules: Rules, payer: str, least: int, most: int) -> None:
    """Of the claims for whom it is, and each of them each time; the others as before."""
    assert least <= judged_by(rules, payer).get("2:b", 0) <= most


def test_claims_of_a_share_stay_in_a_wider_one() -> None:
    """A claim never goes back and forth while a set is widened."""
    wide, narrow = staging(0.5), staging(0.1)
    for number in range(400):
        claim = build_claim("professional", claim_id=f"C-{number}")
        if narrow.judging("p", claim).name == "2:b":
            assert wide.judging("p", claim).name == "2:b"


def test_a_stage_that_would_store_otherwise_is_refused() -> None:
    """As a set in force is."""
    rules = Rules(named("1:a"))
    fields = 'kind: attached-fields\nversion: "1"\nfields: {}\n'
    loaded = load_texts(TEXTS | {"reference/attached.yaml": fields})
    other = replace(BOOK, references=loaded.references, name="2:b")
    with pytest.raises(StoredReferencesDiffer):
        rules.put(
            {EVERYBODY: ((date.min, named("1:a")),)},
            {EVERYBODY: Staged(book=other, over="1:a", share=1)},
        )
    assert rules.staged("p") is None


def test_a_share_is_stable_and_about_right() -> None:
    """A claim is kept each time or never, whoever is asked."""
    shares = [share_of("demo", f"C-{number}") for number in range(2_000)]

    assert shares == [share_of("demo", f"C-{number}") for number in range(2_000)]
    assert 0.08 < sum(each < 0.1 for each in shares) / len(shares) < 0.12
