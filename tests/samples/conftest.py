"""The shipped reference and decision tables, which the samples must agree with."""

import pytest
from ruamel.yaml import YAML

from service.domain.counters import CounterTable
from service.domain.reference import GroupTable
from service.requirement.tables import RequirementTables, load_tables
from tests.builders import QUERIES, TEMPLATES, references


@pytest.fixture(scope="session")
def groups() -> dict[str, GroupTable]:
    """The shipped groups of codes by table."""
    read = [YAML(typ="safe").load(path) for path in sorted((QUERIES / "reference").glob("*.yaml"))]
    tables = [GroupTable.model_validate(each) for each in read if each["kind"] == "groups"]
    return {table.id: table for table in tables}


@pytest.fixture(scope="session")
def decision_tables() -> RequirementTables:
    """The shipped decision tables."""
    names = ("is-authorization-required", "requested-auth-type")
    texts = {name: (QUERIES / "tables" / f"{name}.json").read_bytes() for name in names}
    counted = YAML(typ="safe").load(QUERIES / "reference" / "counters.yaml")
    counters = {"counters": CounterTable.model_validate(counted)}
    return load_tables(texts, references().model_copy(update=counters), TEMPLATES)
