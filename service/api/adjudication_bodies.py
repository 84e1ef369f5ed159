"""The bodies of requests about adjudicated claims."""

from collections.abc import Collection

from pydantic import Field, JsonValue

from service.domain.values import Frozen, LineNumber
from service.flow.adjudicating.claim_life import BadChange


class LineLimits(Frozen):
    """The benefit limits that a line has met, as the benefit module would adjust them."""

    line: LineNumber
    limit_adjustments: tuple[dict[str, JsonValue], ...] = Field(min_length=1, max_length=50)


class BenefitLimits(Frozen):
    """Benefit limits of an adjudicated claim."""

    lines: tuple[LineLimits, ...] = Field(min_length=1, max_length=999)

    def of_lines(self, known: Collection[int]) -> tuple[LineLimits, ...]:
        """Give them; raises BadChange for a line that the claim has not."""
        for each in self.lines:
            if each.line not in known:
                raise BadChange(f"the claim has no line {each.line}")
        return self.lines
