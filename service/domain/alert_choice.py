"""Which alerts somebody wants to be told of, and how: each person's own choice."""

import hashlib
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, StringConstraints

from service.domain.alert import AlertKind
from service.domain.values import Frozen, Text

Channel = Literal["email", "webhook"]
"""How alerts are sent; a calendar is fetched."""
CHANNELS: tuple[Channel, ...] = ("email", "webhook")

_MAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\-]{1,64}@[A-Za-z0-9\-]{1,63}(\.[A-Za-z0-9\-]{1,63}){0,8}$"
Mail = Annotated[str, StringConstraints(pattern=_MAIL, max_length=254)]
"""An e-mail address: one, without a name or a comment (RFC 5321)."""
Url = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=1000)]


class AlertChoice(Frozen):
    """The kinds of alerts that somebody wants, and where they go; no kind is none at all.

    ``by`` names for whom it is chosen.
    """

    kinds: tuple[AlertKind, ...] = Field(default=(), max_length=20)
    email: Mail | None = None
    webhook: Url | None = None
    by: Text | None = Field(default=None, description="For whom it is chosen; needs act-for.")


class KeptChoice(Frozen):
    """A choice as it is kept: whose it is, since when, and the hash of the calendar's token."""

    payer: str
    person: str
    kinds: tuple[AlertKind, ...] = ()
    email: str | None = None
    webhook: str | None = None
    calendar: str | None = None
    since: str

    @property
    def id(self) -> str:
        """The name of the choice: a hash, one a payer and person."""
        return hashlib.sha256(orjson.dumps([self.payer, self.person])).hexdigest()[:24]

    def target(self, channel: Channel) -> str | None:
        """Where a channel leads; None where it is not wanted."""
        return self.email if channel == "email" else self.webhook

    def as_answer(self) -> dict[str, Any]:
        """The choice as its person sees it."""
        told = {"kinds": list(self.kinds), "email": self.email, "webhook": self.webhook}
        return {"person": self.person, **told, "calendar": self.calendar is not None}
