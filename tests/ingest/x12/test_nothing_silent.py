"""Every element that a 278 or an 837 can have is read, kept as it stands, or listed as not kept."""

import pytest

from service.ingest.x12.claim.rows import LEFT as CLAIM_LEFT
from service.ingest.x12.fields.mapping import Left
from service.ingest.x12.review.rows import LEFT as REVIEW_LEFT
from service.ingest.x12.wire.structure import CLAIM, REVIEW, Structure
from tests.ingest.x12.edi import DENTAL, INSTITUTIONAL, PROFESSIONAL, codes, sets
from tests.ingest.x12.noticing import placed, unnoticed
from tests.ingest.x12.rich import rich_claim, rich_review

REVIEWS = [rich_review(), rich_review(is_plain=True)]
CLAIMS = [
    *(rich_claim(guide) for guide in (PROFESSIONAL, INSTITUTIONAL, DENTAL)),
    rich_claim(PROFESSIONAL, is_dependent=False),
]
ALSO = {
    # A refusal, a trace above its event and our own mark are told for themselves.
    *((loop, "AAA") for loop in REVIEW.segments),
    *((loop, "TRN") for loop in ("2000C", "2000D")),
    *((loop, "NTE") for loop in ("2000E", "2000F")),
}


@pytest.mark.parametrize(("texts", "structure"), [(REVIEWS, REVIEW), (CLAIMS, CLAIM)])
def test_the_messages_have_every_segment_in_every_loop(
    texts: list[str], structure: Structure
) -> None:
    """So that none can be forgotten here; each of them is read whole."""
    found = {(loop, each[0]) for text in texts for loop, each in placed(text, structure)}
    wanted = {(loop, each) for loop, ids in structure.segments.items() for each in ids}

    assert wanted - found <= ALSO
    for text in texts:
        assert {one.unread for one in sets(text)} == {0}
        assert not {"segment-unknown", "segment-misplaced"} & set(codes(text))


@pytest.mark.parametrize(
    ("texts", "structure", "left"),
    [(REVIEWS, REVIEW, REVIEW_LEFT), (CLAIMS, CLAIM, CLAIM_LEFT)],
    ids=["278", "837"],
)
def test_what_makes_no_difference_is_listed_as_not_kept(
    texts: list[str], structure: Structure, left: tuple[Left, ...]
) -> None:
    """Each element is changed and left out; the list has what nothing notices, and nothing else."""
    found = unnoticed(texts, structure)
    silent = {place for place in found if not any(each.names(*place) for each in left)}
    stale = [
        (each.loops, part)
        for each in left
        for part in each.parts()
        if not any(each.names(*place, part) for place in found)
    ]

    assert silent == set()
    assert stale == []
