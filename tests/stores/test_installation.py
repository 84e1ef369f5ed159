"""What is installed in Elasticsearch: what the field dictionary says, as often as one likes."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from service.application.engines import read_es_templates
from service.application.parts import Stores
from service.domain.fields import AUTHORIZATION_FIELDS, ROOT_FIELDS, STORE_FIELDS
from service.settings import Settings
from service.stores.indices.installation import leaf_fields
from tests.builders import build_claim
from tests.ground import Ground, found, new_prefix, push, uninstall, version_of

TEMPLATES = read_es_templates(Settings().es_templates_dir)
TYPES = {
    "keyword": {"type": "keyword"},
    "integer": {"type": "integer"},
    "long": {"type": "long"},
    "boolean": {"type": "boolean"},
    "date": {"type": "date", "format": "strict_date"},
    "date_range": {"type": "date_range", "format": "strict_date"},
}
WITHOUT_DICTIONARY = {
    "created", "fhir_id", "inherited_numbers", "moved", "pushed_at", "shown_number",
    "source", "terms", "trace_numbers",
}  # fmt: skip
"""At the root, for the store's own use: never searched by a template."""


def mappings(component: str) -> Mapping[str, Any]:
    """The mapping of a component template."""
    found: Mapping[str, Any] = TEMPLATES[f"component-{component}"]["template"]["mappings"]
    return found


def fields(properties: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Dotted name to field, objects left out."""
    return {name: field_at(properties, name) for name in leaf_fields(properties)}


def field_at(properties: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The field of a dotted name."""
    first, _, rest = name.partition(".")
    field: Mapping[str, Any] = properties[first]
    return field_at(field["properties"], rest) if rest else field


def test_the_lines_are_mapped_as_the_dictionary_says() -> None:
    """Every field that a template may name is mapped with its type, and no other is."""
    lines = mappings("lines")["properties"]["lines"]
    mapped = fields(lines["properties"])
    wanted = {
        name: TYPES[field.type]
        for name, field in AUTHORIZATION_FIELDS.items()
        if field.type != "procedure"
    }

    assert lines["type"] == "nested"
    assert {name: mapped.get(name) for name in wanted} == wanted
    assert set(mapped) - set(wanted) == {"line"}


def test_the_root_is_mapped_as_the_dictionary_says() -> None:
    """The same for the fields at the root."""
    mapped = fields(mappings("header")["properties"])
    wanted = {name: TYPES[kind] for name, kind in ROOT_FIELDS.items()}

    assert {name: mapped.get(name) for name in wanted} == wanted
    assert set(mapped) - set(wanted) == STORE_FIELDS | WITHOUT_DICTIONARY


@pytest.mark.parametrize("path", sorted(Settings().es_templates_dir.glob("index-*.json")), ids=str)
def test_nothing_is_mapped_by_guessing(path: Path) -> None:
    """A field that nobody declared is refused, or its data kept in the source only."""
    template = json.loads(path.read_text())
    own = template["template"].get("mappings", {})
    parts = [mappings(each) for each in template["composed_of"] if each in ("header", "lines")]

    assert {"strict", False} & {each.get("dynamic") for each in (own, *parts)}


def test_authorizations_are_routed_and_lie_side_by_side() -> None:
    """A document without routing is refused; the index is sorted by payer and member."""
    index = TEMPLATES["index-authorizations"]["template"]["settings"]["index"]

    assert mappings("header")["_routing"] == {"required": True}
    assert index["sort.field"] == ["payer", "member_id"]


def test_installing_again_and_at_once_changes_nothing(ground: Ground, payer: str) -> None:
    """Several workers that start at once install together; what is stored stays."""
    settings = ground.settings.model_copy(update={"index_prefix": new_prefix()})

    async def scenario() -> None:
        async with ground.stores(settings) as stores, ground.stores(settings) as second:
            everywhere = [each.installation for each in (stores, second)] * 3
            await asyncio.gather(*(each.install() for each in everywhere))
            await push(stores, payer, version_of(1))
            await asyncio.gather(*(each.install() for each in everywhere))

            assert await second.installation.missing_fields() == []
            assert await found(second, payer, build_claim()) == ["A1"]
            index = await stores.migration.live_index()
            assert index == f"{settings.index_prefix}authorizations-v1"
            await uninstall(stores)

    asyncio.run(scenario())


def test_the_live_index_has_the_dictionary_too(ground: Ground) -> None:
    """The installed mapping is the one of the files: sorting, routing and strictness included."""

    async def scenario(stores: Stores) -> None:
        index = await stores.migration.live_index()
        live = (await stores.elasticsearch.indices.get(index=index))[index]

        assert await stores.installation.missing_fields() == []
        assert live["mappings"]["dynamic"] == "strict"
        assert live["mappings"]["_routing"] == {"required": True}
        assert live["settings"]["index"]["sort"]["field"] == ["payer", "member_id"]

    ground.run(scenario)
