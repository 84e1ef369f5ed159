"""Puts the parts together: settings and files become rules, clients become stores."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from service.domain.event import EventCodes
from service.domain.reference import AttachedFields, GroupTable, References
from service.flow.live_check import LiveCheck
from service.flow.rules import RuleBook
from service.querying.library import Library, load_library
from service.querying.problem import Problem, TemplatesRefused
from service.requirement.faults import TableRefused
from service.requirement.tables import TABLE_NAMES, RequirementTables, load_tables
from service.settings import Settings
from service.stores.authorization_reading import AuthorizationReading
from service.stores.authorization_search import AuthorizationSearch
from service.stores.authorization_store import AuthorizationStore
from service.stores.clients import (
    ElasticsearchAccess,
    ElasticsearchClient,
    RedisClient,
    open_elasticsearch,
    open_redis,
)
from service.stores.health import Health
from service.stores.installation import Installation
from service.stores.migration import Migration
from service.stores.names import IndexNames, KeyNames
from service.stores.visibility import Visibility

REFERENCE_TABLES_NEEDED = ("procedure-groups", "specialty-parents", "informational-modifiers")
"""Without these, a decision table or a comparison would quietly find nothing."""


class NotConfigured(Exception):
    """A setting that is needed is missing, or does not fit the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """All rooms that speak to an engine."""

    elasticsearch: ElasticsearchClient
    redis: RedisClient
    indices: IndexNames
    visibility: Visibility
    search: AuthorizationSearch
    authorizations: AuthorizationStore
    reading: AuthorizationReading
    installation: Installation
    migration: Migration
    health: Health


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything that an entry needs."""

    settings: Settings
    rules: RuleBook
    stores: Stores
    live_check: LiveCheck


@asynccontextmanager
async def application(settings: Settings) -> AsyncIterator[Application]:
    """Build everything, and close what was opened."""
    rules = load_rules(settings)
    stores = open_stores(settings, rules.references)
    live_check = LiveCheck(settings.live_check_share)
    try:
        yield Application(settings=settings, rules=rules, stores=stores, live_check=live_check)
    finally:
        await live_check.close()
        await stores.elasticsearch.close()
        await stores.redis.aclose()


def open_stores(settings: Settings, references: References) -> Stores:
    """Open the clients; raises NotConfigured where an address is missing."""
    if not settings.elasticsearch_url or not settings.redis_url:
        raise NotConfigured(
            "AUTHMATCH_ELASTICSEARCH_URL and AUTHMATCH_REDIS_URL are needed "
            "(`authmatch run` starts engines of its own)"
        )
    elasticsearch = open_elasticsearch(_access(settings, settings.elasticsearch_url))
    redis = open_redis(settings.redis_url, cluster=settings.redis_cluster)
    indices = IndexNames(settings.index_prefix)
    secret = settings.surrogate_key.get_secret_value().encode()
    keys = KeyNames(prefix=f"authmatch:{settings.index_prefix}", secret=secret)
    visibility = Visibility(elasticsearch, redis, indices, keys)
    installation = Installation(
        elasticsearch,
        indices,
        read_es_templates(settings.es_templates_dir),
        references.attached,
        settings.index_shards,
    )
    return Stores(
        elasticsearch=elasticsearch,
        redis=redis,
        indices=indices,
        visibility=visibility,
        search=AuthorizationSearch(elasticsearch, indices, visibility),
        authorizations=AuthorizationStore(elasticsearch, indices, visibility, references),
        reading=AuthorizationReading(elasticsearch, indices, visibility),
        installation=installation,
        migration=Migration(elasticsearch, indices, installation, references),
        health=Health(elasticsearch, redis, indices),
    )


def _access(settings: Settings, url: str) -> ElasticsearchAccess:
    api_key, password = settings.elasticsearch_api_key, settings.elasticsearch_password
    return ElasticsearchAccess(
        url=url,
        api_key=api_key.get_secret_value() if api_key else None,
        username=settings.elasticsearch_username,
        password=password.get_secret_value() if password else None,
        ca_certs=settings.elasticsearch_ca_certs,
        request_timeout_s=settings.elasticsearch_timeout_s,
    )


def load_rules(settings: Settings) -> RuleBook:
    """Load every rule file; raises TemplatesRefused with all that is wrong with them."""
    references, event_codes, problems = load_references(settings.queries_dir)
    library = load_templates(settings.queries_dir, references)
    problems += library.problems
    if problems:
        raise TemplatesRefused(tuple(problems))
    return RuleBook(
        plans=library.plans,
        tables=read_tables(settings.queries_dir, references, frozenset(library.plans)),
        references=references,
        event_codes=event_codes,
    )


def load_templates(queries: Path, references: References) -> Library:
    """Load the query templates of a folder."""
    files = {path.name: read_text(path) for path in sorted(queries.glob("*.yaml"))}
    return load_library(files, references)


def read_tables(
    queries: Path, references: References, templates: frozenset[str]
) -> RequirementTables:
    """Load the decision tables of a folder, which may name these templates.

    Raises TemplatesRefused.
    """
    texts = []
    for name in TABLE_NAMES:
        path = queries / "tables" / f"{name}.json"
        if not path.is_file():
            problem = Problem(code="T014", path="", file=str(path), message="no such table")
            raise TemplatesRefused((problem,))
        texts.append(path.read_bytes())
    try:
        return load_tables(texts[0], texts[1], references, templates)
    except TableRefused as refused:
        raise TemplatesRefused(
            tuple(
                Problem(
                    code="T014",
                    path=each.path,
                    file="tables",
                    message=each.message,
                    hint=each.hint,
                )
                for each in refused.problems
            )
        ) from refused


def load_references(queries: Path) -> tuple[References, EventCodes, list[Problem]]:
    """Load reference tables and event codes; a file that is wrong is a problem, not a gap."""
    problems: list[Problem] = []
    groups: dict[str, GroupTable] = {}
    attached = AttachedFields(kind="attached-fields", version="none")
    events = None
    for path in sorted((queries / "reference").glob("*.yaml")):
        try:
            content = YAML(typ="safe").load(read_text(path))
            match content.get("kind") if isinstance(content, dict) else None:
                case "groups":
                    groups[path.stem] = GroupTable.model_validate(content)
                case "attached-fields":
                    attached = AttachedFields.model_validate(content)
                case "event-codes":
                    events = EventCodes.model_validate(content)
                case kind:
                    problems.append(_refused(path, f"a reference file of kind {kind} is not known"))
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(map(str, first["loc"]))
            problems.append(_refused(path, f"{where}: {first['msg']}"))
        except (YAMLError, ValueError) as error:
            problems.append(_refused(path, " ".join(str(error).split())[:300]))
    problems += [
        _refused(queries / "reference" / f"{name}.yaml", "this reference table is needed")
        for name in REFERENCE_TABLES_NEEDED
        if name not in groups
    ]
    if events is None:
        problems.append(_refused(queries / "reference" / "event-codes.yaml", "it is needed"))
        raise TemplatesRefused(tuple(problems))
    informational = groups.get("informational-modifiers")
    members = informational.groups.values() if informational else ()
    references = References(
        groups=groups,
        attached=attached,
        informational_modifiers=frozenset(code for each in members for code in each.members),
    )
    return references, events, problems


def _refused(path: Path, message: str) -> Problem:
    return Problem(code="T014", path="", file=f"reference/{path.name}", message=message)


def read_text(path: Path) -> str:
    """Read a rule file; one that is not UTF-8 is refused like any other fault in it."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        problem = Problem(code="T001", path="", file=path.name, message="not UTF-8 text")
        raise TemplatesRefused((problem,)) from error


def read_es_templates(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read the Elasticsearch templates of a folder."""
    found = {path.stem: orjson.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    if not found:
        raise NotConfigured(f"there are no Elasticsearch templates in {folder}")
    return found
