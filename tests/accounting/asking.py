"""Asks the accounting for a claim line, with the shipped reference files or a changed policy."""

from functools import cache
from typing import Any

from service.accounting.books.plan import Draw, LinePlan, Origin, Part
from service.accounting.books.scale import SCALE
from service.accounting.limits.choice import Asked, Choice
from service.accounting.planning.planning import Planned, plan_claim
from service.domain.authorization import Authorization
from service.domain.claim import AuthorizationKind, Claim
from service.domain.reference import References
from service.rules.texts import load_texts, read_folder
from tests.builders import QUERIES


@cache
def shipped() -> References:
    """The shipped reference files."""
    return load_texts(read_folder(QUERIES)).book.references


def with_policy(**changes: Any) -> References:
    """The shipped reference files with something changed in the policy."""
    policy = shipped().accounting
    content = {**policy.model_dump(by_alias=True), **changes}
    return shipped().model_copy(update={"accounting": type(policy).model_validate(content)})


def choose(authorization: Authorization, line: int = 1, origin: Origin = "automatic") -> Choice:
    """Choose a line of an authorization."""
    return Choice(authorization=authorization, line=line, origin=origin)


def ask(
    claim: Claim,
    *choices: Choice | Authorization,
    query: str = "professional",
    line: int = 1,
    kind: AuthorizationKind = "authorization",
) -> Asked:
    """Ask for a claim line; an authorization stands for its line 1, chosen by matching."""
    return Asked(
        line=claim.lines[line - 1],
        kind=kind,
        query_type=query,
        choices=tuple(
            each if isinstance(each, Choice) else choose(each, line=1 if each.lines else 0)
            for each in choices
        ),
    )


def plan(
    claim: Claim,
    *choices: Choice | Authorization,
    query: str = "professional",
    references: References | None = None,
) -> Planned:
    """Plan a claim of one line."""
    return plan_claim(claim, [ask(claim, *choices, query=query)], references or shipped())


def parts(planned: Planned) -> tuple[Part, ...]:
    """The parts of the one line that was planned."""
    return line_of(planned).parts


def line_of(planned: Planned) -> LinePlan:
    """The one line that was planned."""
    assert planned.obstacles == ()
    (line,) = planned.plan.lines
    return line


def wants(planned: Planned) -> list[float]:
    """What is wanted of each part, in units."""
    return [part.want / SCALE for part in parts(planned)]


def draws(planned: Planned, part: int = 1) -> tuple[Draw, ...]:
    """The draws of a part that has one way."""
    (way,) = parts(planned)[part - 1].ways
    return way.draws


def accounts(planned: Planned, part: int = 1, draw: int = 1) -> list[str]:
    """The accounts that a draw is debited on."""
    return [debit.account for debit in draws(planned, part)[draw - 1].debits]


def costs(planned: Planned) -> list[str]:
    """What one unit costs on each account of the first draw: a rate, or the tokens it names."""
    return [
        ",".join(debit.unit_tokens) or f"{debit.numerator}/{debit.denominator}"
        for debit in draws(planned)[0].debits
    ]


def outcomes(planned: Planned) -> list[tuple[str, str | None]]:
    """Why lines are not in the plan, and about which authorization."""
    return [(each.outcome, each.authorization_id) for each in planned.obstacles]
