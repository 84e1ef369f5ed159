"""The bodies of matching requests that are not a claim alone."""

from pydantic import Field

from service.domain.claim import AuthorizationKind, Claim
from service.domain.values import Frozen, LineNumber, Text


class WhyNotQuestion(Frozen):
    """A claim, one of its lines, and the number of an authorization expected to cover it."""

    claim: Claim
    line: LineNumber
    number: Text = Field(pattern=r"[0-9A-Za-z]")
    type: AuthorizationKind | None = None
