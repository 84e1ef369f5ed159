"""Claims in any order, on the real Redis: the books are what a plain model makes of them."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.ground import Ground
from tests.stores.books_bed import laid
from tests.stores.books_machine import Books

UNHURRIED = settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def run(ground: Ground, *, examples: int, steps: int) -> None:
    """Let claims live; a failure is told as the shortest sequence that shows it."""
    bounded = settings(UNHURRIED, max_examples=examples, stateful_step_count=steps)
    with laid(ground) as bed:

        class OnBed(Books):
            """The machine on these stores."""

            def __init__(self) -> None:
                super().__init__(bed)

        run_state_machine_as_test(OnBed, settings=bounded)


def test_the_books_are_those_of_the_model(ground: Ground) -> None:
    """What was granted, what is held, and what the ledger folds to, after every step."""
    run(ground, examples=60, steps=25)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_books_are_those_of_the_model_in_many_lives(ground: Ground) -> None:
    """The same, for long."""
    run(ground, examples=1_000, steps=50)
