"""How much each run measures."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Authorizations in the index, and how often each contest is repeated."""

    authorizations: int
    small_index: int
    large_index: int
    bulk_documents: int
    file_documents: int
    claims: int
    batch_claims: int
    memory_claims: int
    study_claims: int
    worklist_items: int
    alerts: int
    applies: int
    ten_line_claims: int
    x12_mb: float
    x12_large_mb: float
    warm_up: int = 40
    workers: int = 2
    rounds: int = 7


SIZES = {
    # So little that it says nothing of speed, only that every part runs: for the tests. All indices
    # are of one size, so that one service serves them.
    "tiny": Size(
        authorizations=100,
        small_index=100,
        large_index=100,
        bulk_documents=100,
        file_documents=100,
        claims=10,
        batch_claims=10,
        memory_claims=9,
        study_claims=5,
        worklist_items=60,
        alerts=60,
        applies=64,
        ten_line_claims=64,
        x12_mb=0.05,
        x12_large_mb=0.5,
        warm_up=2,
        workers=1,
        rounds=1,
    ),
    "small": Size(
        authorizations=20_000,
        small_index=20_000,
        large_index=200_000,
        bulk_documents=20_000,
        file_documents=20_000,
        claims=300,
        batch_claims=600,
        memory_claims=10_000,
        study_claims=10_000,
        worklist_items=100_000,
        alerts=20_000,
        applies=20_000,
        ten_line_claims=10_000,
        x12_mb=2,
        x12_large_mb=20,
    ),
    "full": Size(
        authorizations=500_000,
        small_index=10_000,
        large_index=1_000_000,
        bulk_documents=50_000,
        file_documents=500_000,
        claims=1_000,
        batch_claims=2_000,
        memory_claims=100_000,
        study_claims=10_000,
        worklist_items=100_000,
        alerts=100_000,
        applies=100_000,
        ten_line_claims=50_000,
        x12_mb=4,
        x12_large_mb=100,
    ),
}
