"""A key of an answer or a record that does not exist is an error of the static types."""

from typing import cast

import pytest

from service.accounting.books.record import Draft, LineDraft
from service.domain.answers import AdjudicationAnswer, LineAnswer, MatchAnswer


def test_a_wrong_key_is_seen_before_it_runs() -> None:
    """Were one of these seen no more, `make types` would refuse its `ignore` as unused."""
    nothing: dict[str, object] = {}
    answer, match = cast(AdjudicationAnswer, nothing), cast(MatchAnswer, nothing)
    line, draft, row = cast(LineAnswer, nothing), cast(Draft, nothing), cast(LineDraft, nothing)

    with pytest.raises(KeyError):
        answer["linse"]  # type: ignore[typeddict-item]
    with pytest.raises(KeyError):
        match["took"]  # type: ignore[typeddict-item]
    with pytest.raises(KeyError):
        line["dispositon"]  # type: ignore[typeddict-item]
    with pytest.raises(KeyError):
        draft["authorisations"]  # type: ignore[typeddict-item]
    with pytest.raises(KeyError):
        row["events"][0]["outcome"]  # type: ignore[typeddict-item]
