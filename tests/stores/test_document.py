"""The stored form of an authorization, its hash, and the terms in it."""

import hashlib
from typing import Any

import pytest

from authmatch_local.samples import SampleData
from service.accounting.limits.lines import how_counted
from service.domain.authorization import Authorization
from service.domain.canonical import canonical_form, canonical_json
from service.domain.effective import effective_lines
from service.domain.reference import References
from service.domain.submission import Pushed
from service.domain.terms import terms_in, with_counting
from service.stores.authorizations.document import Known, content_hash, make_document
from tests.builders import build_authorization


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"attached": {"b": 1, "a": [{"z": 1, "y": None}]}},
        {"line": {"attached": {"b": 1, "a": 2}}},
        {"line": {"limits": {"units": "4.50", "unit": "UN"}}},
    ],
    ids=["plain", "attached", "attached-to-a-line", "limits"],
)
def test_the_hash_is_that_of_the_canonical_text(changes: dict[str, Any]) -> None:
    """Also where it is made of the form, which is made once."""
    authorization = build_authorization(**changes)
    text = canonical_json(authorization, free=("attached",))

    assert content_hash(authorization) == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("inherited", [(), ("UM-OLDER",)])
def test_what_was_made_before_gives_the_same_document(inherited: tuple[str, ...]) -> None:
    """A push makes the form for the hash, and the lines to compare grants; both are used again."""
    for source in SampleData(7, 200).authorizations():
        pushed = Pushed(authorization=Authorization.model_validate(source), source=source)
        form, references = canonical_form(pushed.authorization), References()
        known = Known(form, effective_lines(pushed.authorization, references))
        made = make_document("p", pushed, references, known=known, inherited=inherited)

        assert made == make_document("p", pushed, references, inherited=inherited)
        terms = terms_in(canonical_form(pushed.authorization))
        assert made["terms"] == with_counting(terms, how_counted(pushed.authorization))
        assert None not in made.values()
