"""Authorization numbers, as issued and as people type them."""

from random import Random


def number_of(ordinal: int) -> str:
    """The number of an authorization by its place in the whole; no two are alike."""
    forms = (f"AU-{ordinal:08d}", f"{ordinal:010d}", f"PA{ordinal:07d}-X", f"2026-{ordinal:08d}")
    return forms[ordinal % len(forms)]


def earlier_number_of(ordinal: int) -> str:
    """A number that the authorization had before."""
    return f"OLD-{ordinal:08d}"


def unknown_number(ordinal: int) -> str:
    """A number that was never issued."""
    return f"ZZ-{ordinal:08d}"


def typed(number: str, rng: Random) -> str:
    """Write a number as a hand would: other case, other punctuation, zeros lost or added."""
    bare = number.replace("-", "")
    middle = len(bare) // 2
    if bare.isdigit():
        trimmed = bare.lstrip("0") or "0"
        return rng.choice((number, trimmed, f"00{trimmed}", f" {bare[:middle]}-{bare[middle:]}"))
    return rng.choice(
        (number, bare.lower(), f"{bare[:2]} {bare[2:]}", f"{bare[:middle]}-{bare[middle:]} ")
    )
