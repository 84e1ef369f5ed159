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
    applies: int
    ten_line_claims: int
    x12_mb: float
    x12_large_mb: float
    workers: int = 2


SIZES = {
    # So little that it says nothing of speed, only that every part runs: for the tests.
    "tiny": Size(
        authorizations=100,
        small_index=50,
        large_index=100,
        bulk_documents=100,
        file_documents=100,
        claims=50,
        batch_claims=20,
        memory_claims=60,
        applies=500,
        ten_line_claims=128,
        x12_mb=0.05,
        x12_large_mb=0.5,
        workers=1,
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
        applies=100_000,
        ten_line_claims=50_000,
        x12_mb=4,
        x12_large_mb=100,
    ),
}
