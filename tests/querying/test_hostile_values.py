"""Values that look like a query stay values."""

from hypothesis import given
from hypothesis import strategies as st

from service.querying.search import candidate_search, scored_search
from tests.builders import ask, build_claim


def shape_of(written: object) -> object:
    """What is left of a query without its values: its keys, and how many things stand where."""
    if isinstance(written, dict):
        return {key: shape_of(each) for key, each in written.items()}
    return [shape_of(each) for each in written] if isinstance(written, list) else None


@given(hostile=st.text(st.sampled_from("\"\\{}[]:,*?~^/ $#'<>%|&!()é☃"), max_size=20))
def test_a_value_of_a_claim_never_becomes_a_part_of_the_query(hostile: str) -> None:
    """Whatever it holds: no clause more, and none less."""

    def shapes(value: str) -> list[object]:
        claim = build_claim(
            "referral",
            authorization_numbers=[{"kind": "referral", "value": value}],
            referring_provider={"npi": "1999999984", "groups": [value]},
        )
        asked = ask(claim, "referral")
        searches = (candidate_search([asked], nearby=True), scored_search(asked))
        return [shape_of(each.query()) for each in searches]

    assert shapes(f"A{hostile}1") == shapes("A1")
