"""Which alerts somebody wants to be told of, as it is kept and shown."""

from service.domain.alert_choice import KeptChoice

CHOICE = KeptChoice(
    payer="demo",
    person="lee",
    kinds=("used",),
    email="lee@payer.example",
    calendar="hash",
    since="now",
)


def test_a_choice_is_of_a_payer_and_a_person() -> None:
    """Its name tells neither; what a way leads to is known by the way."""
    other = CHOICE.model_copy(update={"payer": "other"})
    assert CHOICE.id != other.id
    assert "lee" not in CHOICE.id
    assert (CHOICE.target("email"), CHOICE.target("webhook")) == ("lee@payer.example", None)


def test_a_choice_is_shown_without_what_lets_one_fetch() -> None:
    """Whether there is a calendar, not its hash."""
    assert CHOICE.as_answer() == {
        "person": "lee", "kinds": ["used"], "email": "lee@payer.example", "webhook": None,
        "calendar": True,
    }  # fmt: skip
