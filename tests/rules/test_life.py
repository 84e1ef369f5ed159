"""A draft of rules takes its steps in order, by whom they may be taken, and loses what was said of
other texts."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules import life
from service.rules.book import EVERYBODY
from service.rules.calendar import Calendar, Term
from service.rules.life import (
    Draft,
    Evaluation,
    Person,
    Pointer,
    Shadow,
    Stage,
    Step,
    StepRefused,
    Version,
)

ANN, BOB, KIM = (Person(by=f"key:{name}") for name in ("ann", "bob", "kim"))
CHANGED: dict[str, str | None] = {"dental.yaml": "id: dental\n"}
OTHER: dict[str, str | None] = {"dental.yaml": "id: dental\n# more\n"}


def step(action: Any, who: Person = ANN) -> Step:
    """A step of somebody."""
    return Step(action=action, at="2026-04-01T00:00:00.000+00:00", who=who, reason="UM-412")


def begun(**more: Any) -> Draft:
    """A draft by Ann."""
    first = {"id": "d0", "payer": "P", "title": "T", "base": 1, "changed": CHANGED}
    return Draft(**{**first, "authors": (ANN,), "last": step("begin"), **more})


def evaluation(draft: Draft) -> Evaluation:
    """That of a draft as it is."""
    return Evaluation(
        content=draft.content, base=draft.base, report="r1", report_hash="aa", gates_hold=True
    )


STEPS: dict[str, Callable[[Draft], Draft]] = {
    "edit": lambda draft: life.edited(draft, OTHER, 1, step("edit")),
    "evaluate": lambda draft: life.evaluated(draft, evaluation(draft), step("evaluate")),
    "submit": lambda draft: life.submitted(draft, step("submit")),
    "approve": lambda draft: life.approved(draft, step("approve", KIM)),
    "reject": lambda draft: life.rejected(draft, step("reject", KIM)),
    "drop": lambda draft: life.dropped(draft, step("drop")),
}


def taken(*steps: str) -> Draft:
    """A draft that was taken so far."""
    draft = begun()
    for each in steps:
        draft = STEPS[each](draft)
    return draft


APPROVED = ("evaluate", "submit", "approve")


@pytest.mark.parametrize(
    ("steps", "state", "may"),
    [
        ((), "draft", {"edit", "evaluate", "drop"}),
        (("evaluate",), "evaluated", {"edit", "evaluate", "submit", "drop"}),
        (("evaluate", "submit"), "in review", {"edit", "approve", "reject", "drop"}),
        (APPROVED, "approved", {"edit", "reject", "drop"}),
        ((*APPROVED, "reject"), "evaluated", {"edit", "evaluate", "submit", "drop"}),
        ((*APPROVED, "edit"), "draft", {"edit", "evaluate", "drop"}),
        (("drop",), "dropped", set()),
    ],
)
def test_what_may_follow(steps: tuple[str, ...], state: str, may: set[str]) -> None:
    """Each other step is refused with the way out, and changes nothing."""
    draft = taken(*steps)
    assert draft.state == state
    for name, take in STEPS.items():
        if name in may:
            assert take(draft).steps == draft.steps + 1
            continue
        with pytest.raises(StepRefused) as refused:
            take(draft)
        assert (refused.value.path, bool(refused.value.hint)) == ("/state", True)
    if state == "approved":
        life.publishable(draft, KIM)
    else:
        with pytest.raises(StepRefused, match="cannot be published"):
            life.publishable(draft, KIM)


def test_other_texts_lose_what_was_said_of_them() -> None:
    """And the same texts do not, also on another set."""
    draft = taken(*APPROVED)
    same = life.edited(draft, CHANGED, 2, step("edit", BOB))
    other = life.edited(draft, OTHER, 1, step("edit", BOB))

    assert (same.state, same.base, same.evaluation) == ("approved", 2, draft.evaluation)
    assert (same.approved, same.authors) == (draft.approved, (ANN,))
    assert (other.state, other.evaluation, other.approved) == ("draft", None, None)
    assert other.authors == (ANN, BOB)
    assert life.edited(other, CHANGED, 1, step("edit", BOB)).authors == (ANN, BOB)


def test_an_evaluation_is_of_the_texts_that_were_evaluated() -> None:
    """One that took long says nothing of what was written meanwhile."""
    draft = taken()
    late = evaluation(draft)
    changed = STEPS["edit"](draft)

    with pytest.raises(StepRefused, match="evaluate it again"):
        life.evaluated(changed, late, step("evaluate"))


def test_what_was_approved_is_published() -> None:
    """A draft whose texts are others is not, however that came about."""
    draft = taken(*APPROVED)
    tampered = draft.model_copy(update={"changed": OTHER})

    with pytest.raises(StepRefused, match="changed after its approval"):
        life.publishable(tampered, KIM)
    with pytest.raises(StepRefused, match="not the one that was seen"):
        life.approved(taken("evaluate", "submit"), step("approve", KIM), "another")
    seen = taken("evaluate", "submit")
    assert life.approved(seen, step("approve", KIM), seen.content).state == "approved"


@pytest.mark.parametrize("gates", [None, False])
@pytest.mark.parametrize(
    ("who", "why", "path"),
    [
        (KIM, None, "/despite_gates"),
        (BOB, None, "/despite_gates"),
        (KIM, "it is urgent", "/by"),
        (ANN, "it is urgent", "/by"),
        (Person(by="key:desk", on_behalf_of="key:x"), "it is urgent", None),
        (BOB, "it is urgent", None),
    ],
)
def test_without_gates_a_second_approver_publishes_and_says_why(
    gates: bool | None, who: Person, why: str | None, path: str | None
) -> None:
    """A report that holds none, and no report at all, are the same."""
    draft = taken(*APPROVED)
    assert draft.evaluation is not None
    judged = draft.evaluation.model_copy(update={"gates_hold": gates})
    draft = draft.model_copy(update={"evaluation": judged})

    if path is None:
        life.publishable(draft, who, why)
    else:
        with pytest.raises(StepRefused) as refused:
            life.publishable(draft, who, why)
        assert (refused.value.path, bool(refused.value.hint)) == (path, True)


def on_behalf(by: str, whom: str = "") -> Person:
    """Somebody by a key that names him."""
    return Person(by=by, on_behalf_of=whom)


@pytest.mark.parametrize(
    ("author", "approver", "is_refused"),
    [
        (ANN, KIM, False),
        (ANN, ANN, True),
        (on_behalf("key:engine", "ann"), on_behalf("key:engine", "kim"), False),
        (on_behalf("key:engine", "ann"), on_behalf("key:engine", "ann"), True),
        (on_behalf("key:engine", "ann"), on_behalf("key:engine"), True),
        (on_behalf("key:engine"), on_behalf("key:engine", "kim"), True),
        (on_behalf("key:engine", "ann"), on_behalf("key:other", "ann"), True),
        (on_behalf("key:engine", "ann"), on_behalf("key:other", "kim"), False),
        (on_behalf("key:engine", "ann"), KIM, False),
    ],
)
def test_who_wrote_does_not_approve(author: Person, approver: Person, is_refused: bool) -> None:
    """Nor who may be he: a credential is one person, unless it names two."""
    draft = begun(authors=(BOB, author), state="in review")
    if not is_refused:
        assert life.approved(draft, step("approve", approver)).state == "approved"
        return
    with pytest.raises(StepRefused, match="another subject") as refused:
        life.approved(draft, step("approve", approver))
    assert refused.value.path == "/by"


def test_a_file_that_is_taken_out_is_another_content_than_an_empty_one() -> None:
    """And than one that is not spoken of."""
    hashes = {life.content_hash(each) for each in ({}, {"a.yaml": None}, {"a.yaml": ""})}

    assert len(hashes) == 3


BASE = {
    "base.yaml": "id: base\n",
    "dental.yaml": "id: dental\nextends: base\n",
    "special.yaml": "id: special\nextends: dental\n",
    "referral.yaml": "id: referral\n",
    "broken.yaml": "[",
    "list.yaml": "- 1\n",
    "reference/units.yaml": "kind: units\n",
}
MORE = "# changed\n"


@pytest.mark.parametrize(
    ("ours", "theirs", "overlap"),
    [
        ("dental.yaml", "referral.yaml", False),
        ("dental.yaml", "reference/units.yaml", False),
        ("dental.yaml", "dental.yaml", True),
        ("reference/units.yaml", "reference/units.yaml", True),
        ("base.yaml", "special.yaml", True),
        ("special.yaml", "base.yaml", True),
        ("dental.yaml", "special.yaml", True),
        ("base.yaml", "referral.yaml", False),
        ("broken.yaml", "list.yaml", False),
    ],
)
def test_two_changes_overlap_in_a_file_or_along_extends(
    ours: str, theirs: str, overlap: bool
) -> None:
    """A template means something else when one that it extends does."""
    now = BASE | {theirs: BASE[theirs] + MORE}
    found = life.overlaps(BASE, now, {ours: BASE[ours] + "# ours\n"})

    assert found == ((ours,) if overlap else ())


def test_what_both_changed_alike_is_no_overlap() -> None:
    """Nor a file that both took out; templates that extend one another in a circle end."""
    same = {"dental.yaml": BASE["dental.yaml"] + MORE, "referral.yaml": None}
    now = life.with_changed(BASE, same)
    assert life.overlaps(BASE, now, same) == ()
    circle: dict[str, str | None] = {"base.yaml": "id: base\nextends: special\n"}
    assert life.overlaps(BASE, now, circle) == ("base.yaml",)


TEXTS = st.dictionaries(st.sampled_from(["a.yaml", "b.yaml", "c.yaml"]), st.sampled_from("xyz"))


@given(old=TEXTS, new=TEXTS)
def test_what_changed_leads_from_one_set_to_the_other(
    old: dict[str, str], new: dict[str, str]
) -> None:
    """And nothing where they are the same."""
    changed = life.changed_between(old, new)

    assert life.with_changed(old, changed) == new
    assert (changed == {}) is (old == new)


def test_a_payer_without_a_calendar_has_that_of_all() -> None:
    """The last number rises with each set that is made."""
    everybody, own = (Calendar(terms=(Term(number=each, hash=f"h{each}"),)) for each in (1, 2))
    first = Pointer(calendars={EVERYBODY: everybody}, last=1, published=())
    made = Version(number=2, hash="h2", payer="P", made=step("publish"))
    then = first.moved({"P": own}, made)

    assert (then.calendar("P"), then.calendar("Q")) == (own, everybody)
    assert (then.last, then.published) == (2, (made,))
    assert first.calendar("P") == everybody


STAGE: Any = {
    "number": 2,
    "hash": "h2",
    "over": 1,
    "over_hash": "h1",
    "share": 10,
    "began": "2026-04-01T00:00:00",
}


def in_stages(payer: str, **more: Any) -> Pointer:
    """Set 2 judges a tenth of the claims in place of set 1."""
    calendars = {EVERYBODY: Calendar(terms=(Term(number=1, hash="h1"),))}
    calendars["P"] = calendars[EVERYBODY]
    stage = Stage(
        number=2, hash="h2", over=1, over_hash="h1", share=10, began="2026-04-01T00:00:00", **more
    )
    made = Version(number=2, hash="h2", payer=payer, made=step("stage"))
    return Pointer(calendars=calendars, last=1, published=()).staged(payer, stage, made)


@pytest.mark.parametrize(
    ("payer", "only", "of", "is_seen"),
    [
        ("P", None, "P", True),
        ("P", None, "Q", False),
        (EVERYBODY, None, "Q", True),
        (EVERYBODY, None, "P", False),
        (EVERYBODY, "Q", "Q", True),
        (EVERYBODY, "Q", "R", False),
        (EVERYBODY, "Q", EVERYBODY, True),
    ],
)
def test_a_stage_is_of_whose_sets_it_changes(
    payer: str, only: str | None, of: str, is_seen: bool
) -> None:
    """A payer with rules of its own has none of all; nothing is in force by it yet."""
    pointer = in_stages(payer, only=only)

    assert (pointer.stage(of) is not None) == is_seen
    assert (pointer.last, pointer.calendar(of).terms[0].number) == (2, 1)


def test_a_stage_is_widened_and_then_in_force_or_taken_back() -> None:
    """Each step has a row of the history of its own, that says of which set."""
    pointer = in_stages("P")
    stage = pointer.stages["P"]
    wider = pointer.stepped("P", stage.model_copy(update={"share": 50}), step("widen"))
    whole = wider.stepped("P", None, step("widen"))
    back = wider.stepped("P", None, step("return"))

    assert (wider.stages["P"].share, wider.calendar("P").terms[0].number) == (50, 1)
    assert (whole.stages, whole.calendar("P").terms[0].number) == ({}, 2)
    assert (back.stages, back.calendar("P").terms[0].number) == ({}, 1)
    assert [each.noted[0].name for each in (wider, whole)] == ["stage|2|1", "stage|2|2"]
    assert back.noted[0].step.number == 2
    assert whole.calendar("Q").terms[0].number == 1


def test_a_payer_has_the_rules_of_all_again_where_its_first_set_is_taken_back() -> None:
    """It has rules of its own while the set is in stages."""
    everybody = Pointer(
        calendars={EVERYBODY: Calendar(terms=(Term(number=1, hash="h1"),))}, last=1, published=()
    )
    stage = Stage(
        number=2, hash="h2", over=1, over_hash="h1", share=10, began="2026-04-01T00:00:00"
    )
    made = Version(number=2, hash="h2", payer="P", made=step("stage"))
    staged = everybody.staged("P", stage, made)

    assert staged.owner("P") == "P"
    assert staged.stepped("P", None, step("return")).calendars == everybody.calendars
    assert staged.stepped("P", None, step("widen")).calendar("P").terms[0].number == 2


def test_what_else_changes_a_calendar_ends_its_stage_alone() -> None:
    """A set that is rolled back takes the one that was to replace it along."""
    pointer = in_stages("P")
    calendar = Calendar(terms=(Term(number=3, hash="h3"),))
    made = Version(number=3, hash="h3", payer="P", made=step("rollback"))

    assert pointer.moved({"P": calendar}, made).stages == {}
    assert pointer.moved({EVERYBODY: calendar}, made).stages == pointer.stages


def test_a_draft_is_tried_until_it_is_stopped_or_becomes_a_set() -> None:
    """It changes nothing that is in force; what happens to other drafts is no matter."""
    shadow = Shadow(draft="d1", content="c" * 64, hash="h9", base=1, share=100, began="now")
    before = in_stages("P")
    tried = before.shadowed("P", shadow, step("shadow").model_copy(update={"draft": "d1"}))
    stopped = tried.shadowed("P", None, step("unshadow").model_copy(update={"draft": "d1"}))

    def published(draft: str) -> Pointer:
        made = step("publish").model_copy(update={"draft": draft})
        version = Version(number=3, hash="h3", payer="P", made=made)
        return tried.moved({"P": Calendar(terms=(Term(number=3, hash="h3"),))}, version)

    assert (tried.calendars, tried.stages) == (before.calendars, before.stages)
    assert (tried.published, tried.noted[0].step.action) == ((), "shadow")
    assert stopped.shadows == {}
    assert (published("d1").shadows, published("d2").shadows) == ({}, {"P": shadow})
    assert shadow.name == "d1|cccccccccccc"
