"""What the doctor asks of the engines."""

from collections.abc import AsyncIterator, Callable

from service.application.parts import Stores
from service.cli.findings import Finding, green, red, yellow
from service.domain.engine_fault import EngineFault
from service.stores.connection.durability import WANTED
from service.stores.connection.inspection import Inspection

MAJOR = "9."
CLOCK_S_MAX = 2.0

Check = Callable[[Stores, Inspection], AsyncIterator[Finding]]


async def engine_findings(stores: Stores) -> AsyncIterator[Finding]:
    """Ask Elasticsearch, then the indices, then Redis; one that fails does not hide the others."""
    inspection = Inspection(stores.elasticsearch, stores.redis, stores.indices)
    for name, check in (("Elasticsearch", _search), ("Redis", _cache)):
        try:
            async for finding in check(stores, inspection):
                yield finding
        except EngineFault as fault:
            yield red(name, fault.reason, "is it running, is the address right?", is_engine=True)


async def _search(stores: Stores, inspection: Inspection) -> AsyncIterator[Finding]:
    engine = await inspection.elasticsearch()
    found = f"{', '.join(engine.versions)}, {engine.nodes} node{'s' * (engine.nodes != 1)}"
    if all(each.startswith(MAJOR) for each in engine.versions):
        yield green("Elasticsearch", found)
    else:
        yield red("Elasticsearch", found, "the client speaks to Elasticsearch 9 only")
    yield _health(engine.health, engine.nodes)
    if not await inspection.is_installed():
        yield red("indices", "not installed", "run `authmatch index install`")
        return
    async for finding in _indices(stores, inspection):
        yield finding


def _health(health: str, nodes: int) -> Finding:
    if health == "green":
        return green("cluster health", health)
    if health == "yellow":
        advice = "a copy of a shard has no node" if nodes > 1 else "one node keeps no copies"
        return yellow("cluster health", health, advice)
    return red("cluster health", health, "a part of the data is not there", is_engine=True)


async def _indices(stores: Stores, inspection: Inspection) -> AsyncIterator[Finding]:
    yield green("index", await stores.migration.live_index())
    missing = await stores.installation.missing_fields()
    if missing:
        shown = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
        yield red("fields", f"{len(missing)} missing: {shown}", "run `authmatch index migrate`")
    else:
        yield green("fields", "all there")
    if await stores.migration.is_closed_to_writes():
        advice = "a rebuild runs, or was killed: run `authmatch index migrate` again"
        yield red("pushes", "closed to writes", advice)
    else:
        yield green("pushes", "open")
    yield green("documents", f"{await inspection.count():,}")
    letters = sum([await stores.listing.count(each) for each in stores.projection.payers])
    if letters:
        yield yellow("dead letters", f"{letters:,} open", "look: authmatch deadletters list")
    else:
        yield green("dead letters", "none open")


async def _cache(stores: Stores, inspection: Inspection) -> AsyncIterator[Finding]:
    cache = await inspection.redis()
    yield green("Redis", cache.version)
    apart = f"Redis is {abs(cache.clock_ahead_s):.3f} s {_side(cache.clock_ahead_s)}"
    if abs(cache.clock_ahead_s) <= CLOCK_S_MAX:
        yield green("clocks", apart)
    else:
        yield yellow("clocks", apart, "keep both machines on network time")
    yield await _durability(stores)
    waiting = await stores.courier.waiting()
    if waiting:
        advice = "they are stored as soon as Elasticsearch takes them"
        yield yellow("outbox", f"{waiting:,} wait{'s' * (waiting == 1)}", advice)
    else:
        yield green("outbox", "empty")


async def _durability(stores: Stores) -> Finding:
    weak = await stores.durability.check()
    if not weak:
        return green(
            "Redis keeps writes", ", ".join(f"{name} {is_}" for name, is_ in WANTED.items())
        )
    if stores.durability.is_weak_allowed:
        advice = "allowed by AUTHMATCH_ALLOW_WEAK_REDIS: units may be lost in a crash"
        return yellow("Redis keeps writes", "; ".join(weak), advice)
    return red("Redis keeps writes", "; ".join(weak), "units may be lost in a crash: set them")


def _side(seconds: float) -> str:
    return "ahead" if seconds >= 0 else "behind"
