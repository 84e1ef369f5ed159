"""One written form of member ids, by whatever card, claim form or feed one came.

It decides routes, marks and ids, so that there is one form in a whole installation.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from service.domain.values import Identifier

MemberIdForm = Literal["plain", "as_sent"]
"""``plain``: upper case, without blanks and dashes; ``as_sent``: as it stands, without blanks."""

_DASHES = re.compile(r"[\s\-\u2010-\u2015]+")
_BLANKS = re.compile(r"\s+")

_WRITERS: Mapping[MemberIdForm, Callable[[str], str]] = {
    "plain": lambda text: _DASHES.sub("", text).upper(),
    "as_sent": lambda text: _BLANKS.sub("", text),
}


class _InForce:
    """The form that is in force: settled once, when a process starts."""

    form: MemberIdForm = "plain"


def use_member_id_form(form: MemberIdForm) -> None:
    """Settle the form for this process; another one than before needs empty engines."""
    _InForce.form = form


def written_member_id(text: str) -> str:
    """A member id in the form that is in force; empty where nothing is left of it."""
    return _WRITERS[_InForce.form](text)


def _written(value: Any) -> Any:
    return written_member_id(value) if isinstance(value, str) else value


MemberId = Annotated[Identifier, BeforeValidator(_written, json_schema_input_type=str)]
"""The id of a member, in the form that is in force."""
