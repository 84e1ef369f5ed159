"""How the garbage collector is told to keep out of the way of claims."""

import gc

GC_ALLOCATIONS = 50_000
GC_ALLOCATIONS_LOADING = 400_000
"""While files are loaded thousands of authorizations are on their way, and nobody waits."""


def quieten_collector(allocations: int = GC_ALLOCATIONS) -> None:
    """Let the garbage collector pass over the rules, and look less often.

    A claim or a push makes thousands of short-lived values and no cycles; by default the collector
    would walk all rules again and again for nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(allocations, 20, 20)
