"""What stands where an authorization number belongs, and is none.

The same place of a claim (837 REF*G1, box 23 of the CMS-1500) holds other ids as well, and words
that say that there is no number. Such a text is told, and never compared.
"""

import re
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from service.domain import codes
from service.domain.values import Frozen, LongText, Text

OTHER_FORM = "other-form"
"""What a number is that has not the form of the payer's own."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[Text, AfterValidator(_compiles)]
"""A regular expression for a whole number, without punctuation and blanks, in upper case."""


class NoNumber(Frozen):
    """Words, or a form, that are no authorization number."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")]
    title: Text
    words: tuple[Text, ...] = Field(default=(), max_length=200)
    pattern: Pattern | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if not self.words and self.pattern is None:
            raise ValueError("words or a pattern are needed")
        return self

    def is_it(self, bare: str) -> bool:
        """Whether a number, in upper case without punctuation, is one of these."""
        if any(codes.bare(word) == bare for word in self.words):
            return True
        return self.pattern is not None and re.fullmatch(self.pattern, bare) is not None


class NumberForms(Frozen):
    """One file of ``queries/reference``: the form of the payer's numbers, and what is none."""

    kind: Literal["number-forms"] = "number-forms"
    version: Text = "none"
    note: LongText | None = None
    own: Pattern | None = None
    none: tuple[NoNumber, ...] = Field(default=(), max_length=100)

    def __hash__(self) -> int:
        """As cheap as can be: a file is read once and replaced whole."""
        return id(self)

    def __eq__(self, other: object) -> bool:
        """Whether it is this very file."""
        return self is other

    def no_number(self, text: str) -> str | None:
        """What a text is that is no number, by the id of its row; None where it is a number."""
        return _no_number(self, codes.bare(text))


@lru_cache(codes.CODES_KEPT)
def _no_number(forms: NumberForms, bare: str) -> str | None:
    for each in forms.none:
        if each.is_it(bare):
            return each.id
    if forms.own is not None and re.fullmatch(forms.own, bare) is None:
        return OTHER_FORM
    return None
