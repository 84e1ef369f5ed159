"""Whether everything is in place: settings, rules and engines, and what to do where it is not."""

import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from service.access.scopes import RolesRefused, read_roles
from service.application.certificate import judge
from service.application.engines import NotConfigured, Route, routes
from service.application.parts import Stores
from service.domain.engine_fault import EngineFault
from service.domain.reference import StoredReferences
from service.querying.problem import TemplatesRefused
from service.rules.texts import load_rules
from service.settings import Settings
from service.stores.connection.clock import now
from service.stores.connection.durability import WANTED
from service.stores.connection.inspection import FULL_DISK, Block
from service.stores.connection.sealing import SealKeysRefused, seal_from

MAJOR = "9."
CLOCK_S_MAX = 2.0
SOON_S = 30 * 24 * 3600

IDLE_MINUTES_MAX = 60
HOURS_MAX = 12
_SIGN_IN = ("signin_authorization_url", "signin_token_url", "signin_client_id")

_NOT_SETTINGS = frozenset({"AUTHMATCH_CACHE", "AUTHMATCH_SECRETS_DIR"})
"""Variables of ours that are read elsewhere."""

Level = Literal["green", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at, and what to do; ``is_engine`` when an engine is what failed."""

    level: Level
    what: str
    found: str
    advice: str = ""
    is_engine: bool = False


green = partial(Finding, "green")
"""As it should be."""
yellow = partial(Finding, "yellow")
"""It works, but not as in production."""
red = partial(Finding, "red")
"""It must be put right."""


def _unless(
    wrong: str | None, what: str, found: str, advice: str, level: Callable[..., Finding] = yellow
) -> Finding:
    """As it should be, unless something is wrong: then that, and what to do."""
    return level(what, wrong, advice) if wrong else green(what, found)


async def diagnose(settings: Settings) -> AsyncIterator[Finding]:
    """Look at settings, files and engines; one that fails does not hide the others."""
    for finding in _of_settings(settings):
        yield finding
    stored = StoredReferences()
    try:
        book = load_rules(settings)
    except TemplatesRefused as refused:
        yield red("rules", f"{len(refused.problems)} problems", "run `authmatch rules check`")
    else:
        stored = book.stored
        versions = (f"{name} v{plan.template.version}" for name, plan in book.plans.items())
        yield green("rules", ", ".join(sorted(versions)))
    for route in routes(settings):
        if shown := await _encryption(route):
            yield shown
    try:
        stores = Stores(settings, stored)
    except NotConfigured as error:
        yield red("engines", "not configured", str(error))
        return
    try:
        for name, check in (("Elasticsearch", _search), ("Redis", _cache)):
            try:
                async for finding in check(stores):
                    yield finding
            except EngineFault as fault:
                advice = "is it running, is the address right?"
                yield red(name, fault.reason, advice, is_engine=True)
    finally:
        await stores.close()


def _of_settings(settings: Settings) -> Iterator[Finding]:
    prefix = Settings.model_config["env_prefix"]
    known = {f"{prefix}{name}".upper() for name in Settings.model_fields}
    for name in sorted(name for name in os.environ if name.upper().startswith(prefix)):
        if name.upper() not in known | _NOT_SETTINGS:
            yield yellow("settings", f"{name} is not a setting", "is it misspelt?")
    yield green("queries", str(settings.queries_dir))
    yield from _of_access(settings)
    yield from _of_sessions(settings)
    yield _of_callers(settings)
    advice = "set AUTHMATCH_SURROGATE_KEY to serve others"
    yield _unless(settings.weak_secret, "surrogate key", "set, hidden", advice)


def _of_access(settings: Settings) -> Iterator[Finding]:
    wrong = "open: whoever reaches this machine may do everything" if settings.is_open else None
    yield _unless(wrong, "profile", "a credential is needed", "unset AUTHMATCH_OPEN_PROFILE")
    try:
        named = seal_from(settings.seal_keys_file, settings.seal_keys_command).key_names
    except SealKeysRefused as refused:
        yield red("seal", str(refused), "put the keys right: 32 bytes in base64, one a line")
    else:
        wrong = None if named else "none: dead letters, outbox and archive are kept in clear"
        found = f"by {named[0]}, {len(named)} in all" if named else ""
        yield _unless(wrong, "seal", found, "set AUTHMATCH_SEAL_KEYS_FILE, or encrypt the disks")
    bounds = {
        "AUTHMATCH_LIMIT_RATE": settings.limit_rate,
        "AUTHMATCH_LIMIT_AT_ONCE": settings.limit_at_once,
        "AUTHMATCH_LIMIT_FAILURES": settings.limit_failures,
    }
    without = [name for name, bound in bounds.items() if not bound]
    wrong = f"none: {', '.join(without)}" if without else None
    found = f"{settings.limit_rate:g} a second, {settings.limit_at_once} at once of a worker"
    yield _unless(
        wrong, "limits of a caller", found, "one caller can keep out all others: set them"
    )
    keys = settings.start_keys
    all_scopes = sum(each.role is None for each in keys.values())
    wrong = f"{all_scopes} of {len(keys)} have every scope, for ever" if all_scopes else None
    advice = "give them a role, or make keys that expire: authmatch keys make"
    yield _unless(wrong, "keys of the settings", f"{len(keys)}, hidden", advice)
    try:
        yield green("roles", ", ".join(read_roles(settings.roles_file)))
    except RolesRefused as refused:
        yield red("roles", str(refused), "put the file right, or unset AUTHMATCH_ROLES_FILE")


def _of_sessions(settings: Settings) -> Iterator[Finding]:
    """Whether one can sign in, and how long sessions last."""
    needed = (*_SIGN_IN, "public_url", "token_issuer", "token_jwks_url")
    missing = [f"AUTHMATCH_{name.upper()}" for name in needed if not getattr(settings, name)]
    is_begun = any(getattr(settings, name) for name in _SIGN_IN)
    wrong = f"nobody can: {', '.join(missing)} is not set" if is_begun and missing else None
    found = f"at {settings.signin_authorization_url}" if is_begun else "by links of this machine"
    yield _unless(wrong, "sign-in", found, "set all of them, or none")
    idle, whole = settings.session_idle_minutes, settings.session_hours
    lasts = f"{idle} minutes unused, {whole} hours in all"
    is_long = idle > IDLE_MINUTES_MAX or whole > HOURS_MAX
    advice = (
        "a browser that is left alone stays signed in: AUTHMATCH_SESSION_IDLE_MINUTES up to "
        f"{IDLE_MINUTES_MAX}, AUTHMATCH_SESSION_HOURS up to {HOURS_MAX}"
    )
    yield _unless(f"long: {lasts}" if is_long else None, "sessions", lasts, advice)


def _of_callers(settings: Settings) -> Finding:
    """Whether callers are served by TLS, and what is wrong or weak in the certificate."""
    what = "TLS of callers"
    if settings.tls_cert is None:
        if (settings.public_url or "").startswith("https:"):
            return green(what, f"ends before this service, at {settings.public_url}")
        advice = "set AUTHMATCH_TLS_CERT, or end it at a balancer on this machine"
        return yellow(what, "none: only this machine may be served so", advice)
    try:
        found = judge(settings, settings.tls_cert)
    except NotConfigured as error:
        return red(what, str(error), "put the files right, or unset AUTHMATCH_TLS_CERT")
    said = (*found.wrong, *found.weak)
    shown = "; ".join((f"certificate until {found.valid_until:%Y-%m-%d}", *said))
    level = red if found.wrong else yellow
    return _unless(shown if said else None, what, shown, "renew it: it is read by itself", level)


async def _encryption(route: Route) -> Finding | None:
    """Whether somebody on the way to an engine could listen, and how long its certificate holds."""
    what = f"TLS of {route.engine}"
    if not route.is_encrypted:
        advice = "name it by https:// or rediss://"
        if not route.is_open_to_others:
            return green(what, f"none, and {route.host} is this machine")
        if route.has_secret:
            return red(what, f"none: passwords go to {route.host} in clear text", advice)
        return yellow(what, f"none: health data go to {route.host} in clear text", advice)
    found = await route.look()
    if found is None:
        return None  # what is wrong is told of the engine itself
    until = found.valid_until
    shown = f"{found.version} at {found.host}, certificate until {until:%Y-%m-%d}"
    is_soon = until.timestamp() < time.time() + SOON_S
    return _unless(shown if is_soon else None, what, shown, "renew the certificate of the engine")


async def _keys(stores: Stores) -> Finding:
    at, soon = now(), now(after_s=SOON_S)
    standing = [key for key in await stores.keys.all() if key.revoked_at is None]
    ends = [
        f"{each.title} on {each.expires_at[:10]}" for each in standing if each.expires_at < soon
    ]
    what = (
        "expired, or soon will" if any(key.expires_at < at for key in standing) else "soon expire"
    )
    wrong = f"{what}: {', '.join(sorted(ends))}" if ends else None
    advice = "make new ones: authmatch keys make; and revoke the old: authmatch keys revoke"
    return _unless(wrong, "API keys", f"{len(standing)}, hidden", advice)


async def _search(stores: Stores) -> AsyncIterator[Finding]:
    engine = await stores.inspection.elasticsearch()
    found = f"{', '.join(engine.versions)}, {engine.nodes} node{'s' * (engine.nodes != 1)}"
    if all(each.startswith(MAJOR) for each in engine.versions):
        yield green("Elasticsearch", found)
    else:
        yield red("Elasticsearch", found, "the client speaks to Elasticsearch 9 only")
    yield _health(engine.health, engine.nodes)
    if not await stores.inspection.is_installed():
        yield red("indices", "not installed", "run `authmatch index install`")
        return
    async for finding in _indices(stores):
        yield finding


def _health(health: str, nodes: int) -> Finding:
    if health == "green":
        return green("cluster health", health)
    if health == "yellow":
        advice = "a copy of a shard has no node" if nodes > 1 else "one node keeps no copies"
        return yellow("cluster health", health, advice)
    return red("cluster health", health, "a part of the data is not there", is_engine=True)


async def _indices(stores: Stores) -> AsyncIterator[Finding]:
    yield green("index", await stores.migration.live_index())
    missing = await stores.installation.missing_fields()
    shown = ", ".join(missing[:5]) + (" ..." if len(missing) > 5 else "")
    wrong = f"{len(missing)} missing: {shown}" if missing else None
    yield _unless(wrong, "fields", "all there", "run `authmatch index migrate`", red)
    yield _writes(await stores.inspection.blocks(), await stores.migration.live_index())
    yield green("documents", f"{await stores.inspection.count():,}")
    yield await _keys(stores)
    letters = sum([await stores.letters.count(each) for each in stores.projection.payers])
    wrong = f"{letters:,} open" if letters else None
    yield _unless(wrong, "dead letters", "none open", "look: authmatch deadletters list")


def _writes(blocks: Sequence[Block], live: str) -> Finding:
    """Whether Elasticsearch takes writes; what closes an index tells what to do."""
    if not blocks:
        return green("writes", "all indices are open")
    kinds = {each.kind for each in blocks}
    shown = ", ".join(f"{each.index} ({each.kind})" for each in blocks[:5])
    if FULL_DISK in kinds:
        advice = "its disk is full: make room; the block goes by itself then, or lift it"
    elif [Block(index=live, kind="write")] == list(blocks):
        advice = "a rebuild runs, or was killed: run `authmatch index migrate` again"
    else:
        advice = "somebody closed them: lift the blocks by index.blocks.KIND: null"
    return red("writes", f"closed: {shown}{' ...' if len(blocks) > 5 else ''}", advice)


async def _cache(stores: Stores) -> AsyncIterator[Finding]:
    cache = await stores.inspection.redis()
    yield green("Redis", cache.version)
    side = "ahead" if cache.clock_ahead_s >= 0 else "behind"
    apart = f"Redis is {abs(cache.clock_ahead_s):.3f} s {side}"
    if abs(cache.clock_ahead_s) <= CLOCK_S_MAX:
        yield green("clocks", apart)
    else:
        yield yellow("clocks", apart, "keep both machines on network time")
    yield await _durability(stores)
    waiting = await stores.courier.waiting()
    wrong = f"{waiting:,} wait{'s' * (waiting == 1)}" if waiting else None
    advice = "they are stored as soon as Elasticsearch takes them"
    yield _unless(wrong, "outbox", "empty", advice)


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
