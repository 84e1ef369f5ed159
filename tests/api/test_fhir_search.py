"""The parameters of a search: whatever comes is understood or refused."""

from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.fhir_search import COUNT_MAX, Search, read_search
from service.api.problem import Refused

NAMES = [
    "identifier", "patient", "patient.identifier", "_id", "use", "outcome", "status", "created",
    "_lastUpdated", "_count", "_summary", "_page", "_format", "created:missing", "other",
]  # fmt: skip
WORDS = [
    "active", "cancelled", "preauthorization", "a|b", "|", "a,b", "Patient/M1", "ge2026", "lt9999",
    "eq0001-01-01T00:00+14:00", "2026-02-30", "2026-05-01T10:00:00.123Z", "count", "0", "999999",
    "\uff12\uff10\uff12\uff16", "\x00", "Patient/", " ",
]  # fmt: skip
pairs = st.tuples(
    st.sampled_from(NAMES) | st.text(max_size=20), st.sampled_from(WORDS) | st.text(max_size=30)
)


@given(st.lists(pairs, max_size=6), st.booleans())
@settings(max_examples=300)
def test_any_parameters_are_understood_or_refused(
    parameters: list[tuple[str, str]], strict: bool
) -> None:
    """With 400; what is understood is bounded, and asks for someone."""
    try:
        search = read_search(parameters, strict=strict)
    except Refused as refused:
        assert refused.status == 400
        return
    wanted = search.wanted

    assert isinstance(search, Search)
    assert 0 <= search.count <= COUNT_MAX
    assert wanted.member or wanted.named or wanted.ids or wanted.made or search.is_empty
    assert not (strict and search.ignored)
