"""Puts index templates into Elasticsearch and creates the indices, as often as it is called."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch, BadRequestError

from service.domain.reference import AttachedFields
from service.stores.connection.faults import EngineFault, translated_errors
from service.stores.connection.names import IndexNames

Templates = Mapping[str, Mapping[str, Any]]
"""The files of ``es_templates`` by name, without the ending."""

FIRST_GENERATION = 1
REQUEST_S = 60.0
"""A change of the state of a busy cluster takes longer than any answer to a claim may."""


@dataclass(eq=False, repr=False)
class Installation:
    """The templates and indices of one prefix; ``_shards`` is for the authorizations."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames
    _templates: Templates
    _attached: AttachedFields
    _shards: int

    def __post_init__(self) -> None:
        """Have more patience than a claim has."""
        self._elasticsearch = self._elasticsearch.options(request_timeout=REQUEST_S)

    async def install(self) -> None:
        """Bring templates up to date, create what is missing, add new attached-data fields.

        What does not build on each other is asked for at once: Elasticsearch then takes it as one
        change of its state, which is much quicker than one after the other.
        """
        await self.put_templates()
        await asyncio.gather(*(self._create(index, {}) for index in self._indices.plain))
        await self._add_to_locator()
        with translated_errors():
            there = await self._elasticsearch.indices.exists_alias(
                name=self._indices.authorizations
            )
        if not there:
            alias = {self._indices.authorizations: {"is_write_index": True}}
            await self._create(self._indices.generation(FIRST_GENERATION), alias)
        else:
            with translated_errors():
                await self._elasticsearch.indices.put_mapping(
                    index=self._indices.authorizations, properties=self._new_properties()
                )

    async def _add_to_locator(self) -> None:
        """Add the fields that a locator of before has not."""
        mappings = self._templates["index-authorization-locator"]["template"]["mappings"]
        new = {name: mappings["properties"][name] for name in ("merged", "merge")}
        with translated_errors():
            await self._elasticsearch.indices.put_mapping(
                index=self._indices.locator, properties=new
            )

    def _new_properties(self) -> dict[str, Any]:
        """Give what a live index may lack, and takes without a rebuild."""
        header = self._templates["component-header"]["template"]["mappings"]["properties"]
        lines = self._templates["component-lines"]["template"]["mappings"]["properties"]["lines"]
        new = {name: header[name] for name in ("terms", "created", "fhir_id", "trace_numbers")}
        attached = _attached_properties(self._attached)
        attached["lines"]["properties"]["member"] = lines["properties"]["member"]
        return new | attached

    async def put_templates(self) -> None:
        """Put component templates first, then the index templates that are made of them."""
        components = {
            name.removeprefix("component-"): body
            for name, body in self._templates.items()
            if name.startswith("component-")
        }
        components["attached"] = {
            "template": {"mappings": {"properties": _attached_properties(self._attached)}}
        }
        with translated_errors():
            await asyncio.gather(
                *(
                    self._elasticsearch.cluster.put_component_template(
                        name=self._named(name), template=body["template"]
                    )
                    for name, body in components.items()
                )
            )
            await asyncio.gather(
                *(
                    self._put_index_template(name.removeprefix("index-"), body)
                    for name, body in self._templates.items()
                    if name.startswith("index-")
                )
            )

    async def _put_index_template(self, name: str, body: Mapping[str, Any]) -> None:
        template = dict(body["template"])
        if name == "authorizations":
            index = template["settings"]["index"] | {"number_of_shards": self._shards}
            template["settings"] = {"index": index}
        prefix = self._indices.prefix
        await self._elasticsearch.indices.put_index_template(
            name=self._named(name),
            index_patterns=[f"{prefix}{pattern}" for pattern in body["index_patterns"]],
            priority=body["priority"],
            composed_of=[self._named(each) for each in body["composed_of"]],
            template=template,
        )

    def _named(self, name: str) -> str:
        return self._indices.template(name)

    async def _create(self, index: str, aliases: Mapping[str, Any]) -> None:
        """Create an index unless it is there: another worker may have been first."""
        try:
            with translated_errors():
                if not await self._elasticsearch.indices.exists(index=index):
                    await self._elasticsearch.indices.create(index=index, aliases=aliases)
        except EngineFault as fault:
            cause = fault.__cause__
            if not (isinstance(cause, BadRequestError) and "already_exists" in str(cause)):
                raise

    async def missing_fields(self) -> list[str]:
        """Give the fields of the templates that the live index does not have."""
        with translated_errors():
            response = await self._elasticsearch.indices.get_mapping(
                index=self._indices.authorizations
            )
        live: set[str] = set()
        for mapping in response.values():
            live |= set(leaf_fields(mapping["mappings"]["properties"]))
        wanted = set(leaf_fields(_attached_properties(self._attached)))
        for name in ("component-header", "component-lines"):
            mappings = self._templates[name]["template"]["mappings"]
            wanted |= set(leaf_fields(mappings["properties"]))
        return sorted(wanted - live)


def leaf_fields(properties: Mapping[str, Any], path: str = "") -> list[str]:
    """Give the dotted names of all fields of a mapping that are not objects."""
    names: list[str] = []
    for name, field in properties.items():
        inner = field.get("properties")
        if inner:
            names += leaf_fields(inner, f"{path}{name}.")
        else:
            names.append(f"{path}{name}")
    return names


def _attached_properties(attached: AttachedFields) -> dict[str, Any]:
    """Map attached-data fields at the root, and in every line."""
    fields = {
        name: {"type": kind, "format": "strict_date"} if kind == "date" else {"type": kind}
        for name, kind in attached.fields.items()
    }
    block = {"attached": {"properties": fields}}
    return {**block, "lines": {"type": "nested", "properties": {**block}}}
