"""Puts the parts together: settings and rules become an application, clients become stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar, cast

from service.access.act import current
from service.access.gate import Gate, Ways
from service.access.keys import Keyring
from service.access.limits import Limits, limits_of
from service.access.scopes import Roles, read_roles, shown
from service.access.sessions import Sessions
from service.access.sign_in import SignIn, client_of
from service.access.subject import Subject, local_subject
from service.access.tokens import Tokens, issuer_of
from service.application._in_force import InForce
from service.application._jobs import Jobs
from service.application._shadows import Shadows
from service.application._stages import Stages
from service.application.engines import key_names, open_clients, read_es_templates
from service.background import Background
from service.domain.engine_fault import EngineFault
from service.domain.member_ids import use_member_id_form
from service.domain.reference import StoredReferences
from service.flow.adjudicating.run import ClaimStores
from service.flow.late.claims import LateClaims
from service.flow.late.watch import LateWatch
from service.flow.matching.live_check import LiveCheck
from service.querying.problem import TemplatesRefused
from service.rules.book import RuleBook, Rules, StoredReferencesDiffer
from service.rules.texts import load_rules, read_folder
from service.settings import Settings
from service.stores.access.keys import ApiKeys
from service.stores.access.sessions import SessionShelf
from service.stores.access.usage import CallerUsage, KnownPayers
from service.stores.alerts.opened import AlertStores
from service.stores.audit.projection import TrailProjection
from service.stores.audit.reading import TrailReading
from service.stores.audit.trail import Trail
from service.stores.audit.verification import Verification
from service.stores.authorizations.amending import Amending
from service.stores.authorizations.grants import Grants
from service.stores.authorizations.locator import Locator
from service.stores.authorizations.outside import Outside
from service.stores.authorizations.overlaps import Overlaps
from service.stores.authorizations.reading import AuthorizationReading
from service.stores.authorizations.search import AuthorizationSearch
from service.stores.authorizations.state import States
from service.stores.authorizations.store import AuthorizationStore
from service.stores.authorizations.succession import Succession
from service.stores.connection.breaker import Breaker
from service.stores.connection.clients import ElasticsearchClient, RedisClient
from service.stores.connection.clock import now, today
from service.stores.connection.durability import Durability
from service.stores.connection.faults import EngineUnavailable
from service.stores.connection.inspection import Inspection
from service.stores.connection.key_names import KeyNames
from service.stores.connection.names import IndexNames
from service.stores.connection.replicas import Replicas
from service.stores.connection.sealing import seal_from
from service.stores.documents.kept import Documents
from service.stores.indices.installation import Installation
from service.stores.indices.migration import Migration
from service.stores.intake.control_numbers import ControlNumbers
from service.stores.intake.courier import Courier
from service.stores.intake.dead_letters import DeadLetters
from service.stores.intake.delivery import Delivery
from service.stores.intake.entrance import Entrance
from service.stores.intake.outbox import Outbox
from service.stores.intake.requests import Requests
from service.stores.intake.resealing import Resealing
from service.stores.ledger.epoch import Epoch, Guard
from service.stores.ledger.projection import LedgerProjection
from service.stores.ledger.reading import LedgerReading
from service.stores.ledger.rebuilding import Rebuilding
from service.stores.ledger.reconciliation import Reconciliation
from service.stores.ledger.records import Records
from service.stores.ledger.resting import Resting
from service.stores.ledger.shelf_books import ShelfBooks
from service.stores.members.copies import MemberCopies
from service.stores.members.marks import Visibility
from service.stores.members.merge import MemberMerge
from service.stores.members.records import MemberRecords
from service.stores.members.who import Members
from service.stores.rules.kept import KeptRules
from service.stores.studies.golden import Golden
from service.stores.studies.kept import KeptClaims
from service.stores.studies.studies import Studies
from service.stores.units.accumulators import Accumulators
from service.stores.units.archive import Archive
from service.stores.units.steps import Steps
from service.stores.waiting.arising import Arising
from service.stores.waiting.claims import WaitingClaims
from service.stores.waiting.following import Drafts, Following
from service.stores.waiting.late_queue import LateQueue
from service.stores.waiting.saved_filters import SavedFilters
from service.stores.waiting.worklist import Worklist

T = TypeVar("T")

Clients = tuple[ElasticsearchClient, RedisClient]


class Stores:
    """All rooms that speak to an engine."""

    def __init__(
        self,
        settings: Settings,
        references: StoredReferences,
        rules: Rules | None = None,
        clients: Clients | None = None,
    ) -> None:
        """Open the clients unless they are; raises NotConfigured where an address is missing.

        Without ``rules`` what was drawn is counted by those of the settings.
        """
        use_member_id_form(settings.member_id_form)
        self._rules, self._settings = rules, settings
        elasticsearch, redis = clients or open_clients(settings)
        self.payers = list(settings.payers)
        """Those that are looked after; more are added with their keys."""
        indices, keys = IndexNames(settings.index_prefix), key_names(settings)
        self.seal = seal_from(settings.seal_keys_file, settings.seal_keys_command)
        self.elasticsearch, self.redis, self.indices = elasticsearch, redis, indices
        self.inspection = Inspection(elasticsearch, redis, indices)
        self.visibility = Visibility(elasticsearch, redis, indices, keys)
        self.keys = ApiKeys(elasticsearch, indices)
        self.usage, self.known_payers = CallerUsage(redis, keys), KnownPayers(redis, keys)
        self.sessions = SessionShelf(redis, keys)
        self.rules = KeptRules(elasticsearch, indices)
        records = MemberRecords(elasticsearch, indices)
        self.members = Members(records, MemberCopies(redis, keys, records), self.visibility)
        self._open_trail(settings, keys)
        self._open_books(settings, keys)
        self._open_intake(settings, keys, references)
        self._open_alerts(settings, keys)
        self.kept = KeptClaims(
            elasticsearch,
            indices,
            self.seal,
            share=settings.kept_matches_share,
            days=settings.kept_days,
        )
        self.studies = Studies(elasticsearch, indices, self.seal)
        self.golden = Golden(elasticsearch, indices, self.seal)
        templates = read_es_templates(settings.es_templates_dir)
        self.installation = Installation(
            elasticsearch, indices, templates, references.attached, settings.index_shards
        )
        self.migration = Migration(elasticsearch, indices, self.installation, references)

    def _open_trail(self, settings: Settings, keys: KeyNames) -> None:
        """Open what writes, copies and reads audit trails."""
        elasticsearch, redis, indices = self.elasticsearch, self.redis, self.indices
        self.durability = Durability(redis, is_weak_allowed=settings.allow_weak_redis)
        self.trail_projection = TrailProjection(
            elasticsearch, redis, indices, keys, self.payers, sweep_s=settings.ledger_sweep_s
        )
        self.trail = Trail(
            elasticsearch, redis, indices, keys, self.durability, self.trail_projection.touch
        )
        self.trail_reading = TrailReading(
            elasticsearch, redis, indices, keys, self.trail_projection
        )
        self.verification = Verification(elasticsearch, redis, indices, keys)

    def _open_books(self, settings: Settings, keys: KeyNames) -> None:
        """Open what keeps account of units, its ledger, and what keeps both true."""
        elasticsearch, redis, indices = self.elasticsearch, self.redis, self.indices
        self.worklist = Worklist(elasticsearch, indices)
        self.saved_filters = SavedFilters(redis, keys)
        self.following = Following(
            self.worklist,
            self._judging,
            lambda payer, ids: self.accumulators.over(payer, ids),
            lambda payer, ids: self.reading.decide_by(payer, ids, settings.zone),
        )
        replicas = Replicas(redis, settings.redis_replicas)
        self.projection = LedgerProjection(
            elasticsearch,
            redis,
            indices,
            keys,
            self.payers,
            self._follow,
            replicas,
            sweep_s=settings.ledger_sweep_s,
        )
        self.ledger = LedgerReading(elasticsearch, redis, indices, keys, self.projection)
        self.records = Records(self.ledger)
        self.archive = Archive(elasticsearch, redis, indices, keys, self.seal)
        self.epoch = Epoch(elasticsearch, redis, indices, keys, self.ledger, self.archive)
        self.guard = Guard(self.durability, self.epoch)
        is_open = settings.late_authorizations != "off"
        self.late_queue = LateQueue(redis, keys, is_open=is_open)
        steps = Steps(keys, self.archive, self.trail, self.guard, replicas, self.projection.touch)
        self.accumulators = Accumulators(
            redis, keys, self.members, self.archive, steps, self.late_queue.soon
        )
        self.resting = Resting(
            redis, keys, self.ledger, self.archive, self.payers, days=settings.rest_days
        )
        books = ShelfBooks(redis, keys, self.ledger, self.archive)
        self.rebuilding = Rebuilding(redis, keys, self.projection, self.ledger, self.epoch, books)
        self.reconciliation = Reconciliation(keys, self.projection, self.ledger, self.epoch, books)
        self.waiting = WaitingClaims(redis, keys, self.records, self.accumulators)

    def _open_intake(
        self, settings: Settings, keys: KeyNames, references: StoredReferences
    ) -> None:
        """Open what takes authorizations in; a match has what waits delivered from now on."""
        elasticsearch, redis, indices = self.elasticsearch, self.redis, self.indices
        locator = Locator(elasticsearch, indices)
        amending = Amending(
            self.accumulators, self.ledger, self.records, lambda one: self._judging(one).references
        )
        self.overlaps = Overlaps(elasticsearch, indices, references, self.visibility)
        self.authorizations = AuthorizationStore(
            elasticsearch,
            indices,
            references,
            locator,
            Succession(elasticsearch, indices, locator, references),
            Grants(elasticsearch, indices, locator),
            self.overlaps,
            self.accumulators,
            amending,
            States(elasticsearch, indices, references, locator),
            self.late_queue,
            self.members,
        )
        self.reading = AuthorizationReading(elasticsearch, indices, locator, self.members)
        self.outside = Outside(amending, self.accumulators, self.records, self.reading)
        self.search = AuthorizationSearch(elasticsearch, indices, self.members)
        self.merging = MemberMerge(self.members, self.late_queue)
        breaker, arising = Breaker(), Arising(self.worklist, self._judging)
        self.outbox = Outbox(
            redis, keys, self.durability, self.seal, bytes_max=settings.outbox_bytes_max
        )
        self.letters = DeadLetters(
            elasticsearch,
            indices,
            self.outbox,
            breaker,
            keys.secret,
            self.seal,
            settings.dead_letters_bytes_max,
            arising,
        )
        self.resealing = Resealing(elasticsearch, indices, self.seal)
        self.entrance = Entrance(self.authorizations, self.reading, self.outbox, breaker, arising)
        delivery = Delivery(self.outbox, self.entrance, self.letters)
        self.courier = Courier(self.outbox, delivery, self.payers)
        self.visibility.deliver_by(self.courier)
        self.control_numbers = ControlNumbers(redis, keys)
        self.requests = Requests(elasticsearch, indices, keys, self.seal)

    def _open_alerts(self, settings: Settings, keys: KeyNames) -> None:
        """Open what finds alerts, keeps them and sends them, and documents, which may be missed."""
        self.documents = Documents(self.elasticsearch, self.indices, self.seal, settings)
        self.alerts = AlertStores(
            self.elasticsearch,
            self.redis,
            self.indices,
            keys,
            self.reading,
            self.accumulators.accounts_of_all,
            self.epoch.confirm,
            self._judging,
            self.payers,
            settings,
            self.documents,
            self.requests,
        )

    async def _follow(self, payer: str, entries: Drafts) -> None:
        """Have the worklist and the alerts say what ledger entries say."""
        await self.following.follow(payer, entries)
        await self.alerts.evaluating.follow(payer, entries)

    def _judging(self, payer: str) -> RuleBook:
        """The rules of a payer for what happens today; raises RulesUnknown."""
        if self._rules is None:
            self._rules = Rules(load_rules(self._settings))
        return self._rules.of(payer, today())

    async def join_payers(self) -> None:
        """Know all payers that other workers do, and how far their trails go; EngineFault."""
        await self.known_payers.join(self.payers)
        await self.trail.go_on(*self.payers)

    async def close(self) -> None:
        """Close both clients."""
        await self.elasticsearch.close()
        await self.redis.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything that a use needs."""

    settings: Settings
    rules: Rules
    stores: Stores
    live_check: LiveCheck
    roles: Roles
    gate: Gate
    limits: Limits
    stages: Stages
    shadows: Shadows
    in_force: InForce | None = None
    """What follows the rules that are kept; None where they were given once and for all."""
    serving: bool = False
    jobs: Jobs = field(default_factory=Jobs)

    @property
    def claim_stores(self) -> ClaimStores:
        """What every adjudication works with."""
        stores = self.stores
        return ClaimStores(
            source=stores.search,
            standing=stores.reading,
            books=stores.accumulators,
            records=stores.records,
            versions=stores.authorizations,
            live_check=self.live_check,
        )

    @property
    def late_claims(self) -> LateClaims:
        """What is done with claims that wait, once an authorization arrived."""
        return LateClaims(
            stores=self.claim_stores,
            claims=self.stores.waiting,
            offers=self.stores.worklist,
            outside=self.stores.outside,
            rules=self.rules,
            now=now,
            automatic=self.settings.late_authorizations == "automatic",
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, for a payer whose data alone are seen and changed."""

    parts: Application
    payer: str
    subject: Subject

    @property
    def stores(self) -> Stores:
        """The stores."""
        return self.parts.stores

    def shown(self, answer: T) -> T:
        """The answer to a claim, without what the scopes of the caller do not let him see."""
        return cast(T, shown(answer, self.subject.scopes))


def caller_for(parts: Application, payer: str, subject: Subject) -> Caller:
    """Who asks for a payer; what is being done is known to be for him from now on."""
    act = current()
    if act is not None:
        act.trail, act.payer, act.by = parts.stores.trail, payer, subject.title
    return Caller(parts, payer, subject)


def local_caller(parts: Application, payer: str) -> Caller:
    """The user of this machine, asking for a payer."""
    return caller_for(parts, payer, local_subject(payer))


@asynccontextmanager
async def application(
    settings: Settings, *, rules: RuleBook | None = None, serving: bool = False
) -> AsyncIterator[Application]:
    """Build everything, and close what was opened; without ``rules`` those that are in force.

    Before any are kept, and while they cannot be read, those of the settings: a command has them,
    but a service waits. ``serving`` starts the work in the background, but not on a Redis that may
    forget: NotDurable.
    """
    roles = read_roles(settings.roles_file)
    clients = open_clients(settings)
    try:
        ours, in_force, stored = await _rules_of(settings, clients[0], rules, serving=serving)
    except BaseException:
        await clients[0].close()
        await clients[1].aclose()
        raise
    stores = Stores(settings, stored, ours, clients)
    stages = Stages(stores.rules, stores.kept, ours, in_force)
    parts = Application(
        settings=settings,
        rules=ours,
        in_force=in_force,
        serving=serving,
        stores=stores,
        live_check=LiveCheck(settings.live_check_share),
        roles=roles,
        gate=gate_of(settings, roles, stores),
        limits=limits_of(settings, stores.usage),
        stages=stages,
        shadows=Shadows(stores.rules, ours, in_force, stages, settings.member_id_form),
    )
    work = _work(parts)
    try:
        if serving:
            with suppress(EngineUnavailable):  # it is asked again before units are moved
                await stores.durability.ensure()
            with suppress(EngineFault):  # a key that is not known yet is looked for when it comes
                await parts.gate.keyring.look()
            with suppress(EngineFault):  # those of the settings and of the keys are known
                await stores.join_payers()
            for each in work:
                each.start()
        yield parts
    finally:
        await parts.jobs.close()
        await parts.live_check.close()
        for each in reversed(work):
            await each.close()
        await stores.close()


def _work(parts: Application) -> list[Background]:
    """What a service does beside its requests, in the order in which it is started."""
    from service.application.sending import Sending  # it reads answers by a use of these parts

    stores, late, tokens = parts.stores, parts.late_claims, parts.gate.tokens
    watch = LateWatch(stores.late_queue, stores.waiting, late.look, late.review, stores.payers)
    always: list[Background] = [stores.trail_projection, stores.projection, stores.resting]
    always += [stores.alerts.look, stores.alerts.sending, stores.courier, stores.kept]
    always += [parts.gate.keyring, parts.limits]
    is_watched = parts.settings.late_authorizations != "off"
    watched = () if parts.in_force is None else (parts.in_force, parts.stages, parts.shadows)
    sending = Sending(parts) if parts.settings.trading_partners else None
    perhaps = (*watched, tokens, watch if is_watched else None, sending)
    return [*always, stores.epoch, *(each for each in perhaps if each is not None)]


def gate_of(settings: Settings, roles: Roles, stores: Stores) -> Gate:
    """Every way in that is configured; raises RolesRefused."""
    issuer, client = issuer_of(settings), client_of(settings)
    tokens = None if issuer is None else Tokens(issuer, roles)
    sessions = Sessions(
        stores.sessions,
        secret=settings.surrogate_key.get_secret_value().encode(),
        idle_s=settings.session_idle_minutes * 60,
        whole_s=settings.session_hours * 3600,
    )
    ways = Ways(
        keyring=Keyring(stores.keys, roles, stores.payers),
        tokens=tokens,
        sessions=sessions,
        sign_in=SignIn(client, tokens, sessions) if client and tokens else None,
    )
    return Gate(settings, roles, ways)


async def _rules_of(
    settings: Settings,
    elasticsearch: ElasticsearchClient,
    given: RuleBook | None,
    *,
    serving: bool,
) -> tuple[Rules, InForce | None, StoredReferences]:
    """The rules that are judged by, what follows them, and what authorizations are stored with."""
    if given is not None:
        return Rules(given), None, given.stored
    rules = Rules(None)
    in_force = InForce(KeptRules(elasticsearch, IndexNames(settings.index_prefix)), rules)
    book = None
    try:
        book = await in_force.look()
        if book is None and serving:
            await in_force.seed(read_folder(settings.queries_dir))
            book = await in_force.look()
    except EngineFault:
        pass  # a service looks again, and judges nothing before it knows
    except (TemplatesRefused, StoredReferencesDiffer):
        if serving:
            raise
    if book is not None:
        return rules, in_force, book.stored
    book = load_rules(settings)
    rules.expect(book.stored)
    if not serving:
        rules.replace(book)
    return rules, in_force, book.stored
