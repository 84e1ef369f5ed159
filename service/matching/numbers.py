"""Which of the numbers that a provider submitted fit, and what follows where one does not.

A number of the whole claim may belong to one line only: for the others it is then not evaluated.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from service.comparison.plan import Plan
from service.comparison.prepared import AskedLine, ask_criterion
from service.domain import codes
from service.domain.claim import Claim, ServiceLine
from service.domain.claim_values import ClaimValues, submitted_numbers
from service.domain.event import Event, Events, Outcome
from service.domain.number_forms import NumberForms
from service.matching.ranking import Ranked

_INVALID: Mapping[str, Outcome] = {
    "line": "invalid_number_line",
    "claim": "invalid_number_claim",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """A number as it was typed, where it stood, and the authorization of its line that it fits.

    ``no_number`` says what it is where it is none: it is not compared then.
    """

    value: str
    level: str
    no_number: str | None = None
    fits: str | None = None
    fits_another_line: bool = False

    @property
    def normalised(self) -> str:
        """The form in which numbers are compared."""
        return codes.authorization_number(self.value)


def numbers_for(
    claim: Claim, line: ServiceLine, plan: Plan, forms: NumberForms
) -> tuple[Submitted, ...]:
    """The numbers of a line of the kinds that its template reads, each once."""
    fields = plan.number_fields
    found: dict[str, Submitted] = {}
    for number, level in submitted_numbers(claim, line):
        if f"numbers.{number.kind}" in fields:
            none = forms.no_number(number.value)
            submitted = Submitted(value=number.value, level=level, no_number=none)
            found.setdefault(submitted.normalised, submitted)
    return tuple(found.values())


def fit(submitted: Submitted, ranked: Ranked) -> str | None:
    """The exact or non-exact candidate of the line that carries the number."""
    if submitted.no_number is not None:
        return None
    number = submitted.normalised
    for judged in ranked.shown:
        if number in judged.candidate.numbers:
            return judged.candidate.authorization_id
    return None


def numbers_that_fit(lines: Iterable[Ranked]) -> frozenset[str]:
    """All numbers that an exact or non-exact candidate of any line of a claim carries."""
    return frozenset(
        number for ranked in lines for judged in ranked.shown for number in judged.candidate.numbers
    )


def settle(
    submitted: Iterable[Submitted], ranked: Ranked, fitting: Set[str]
) -> tuple[Submitted, ...]:
    """The numbers, each with whether it fits this line, or another one by ``numbers_that_fit``."""
    settled = []
    for each in submitted:
        fits = fit(each, ranked)
        may_fit = fits is None and each.level == "claim" and each.no_number is None
        another = may_fit and each.normalised in fitting
        settled.append(replace(each, fits=fits, fits_another_line=another))
    return tuple(settled)


def without_numbers(asked: AskedLine, submitted: Sequence[Submitted]) -> AskedLine | None:
    """The line without the numbers that fit another line; None where no number does."""
    dropped = {each.normalised for each in submitted if each.fits_another_line}
    if not dropped:
        return None
    values: ClaimValues = {}
    for name, value in asked.values.items():
        if name.startswith("numbers."):
            value = tuple(number for number in value if number not in dropped)
        if value:
            values[name] = value
    criteria = tuple(
        ask_criterion(each.plan, values) if each.plan.reads_numbers_only else each
        for each in asked.criteria
    )
    return replace(asked, values=values, criteria=criteria)


def invalid_number_events(submitted: Iterable[Submitted], events: Events) -> tuple[Event, ...]:
    """The invalid-number event of each number that fits nothing.

    A number of another member or payer is answered like one that does not exist.
    """
    return tuple(
        events.make(_INVALID[number.level], number=number.value)
        for number in submitted
        if number.fits is None and not number.fits_another_line and number.no_number is None
    )
