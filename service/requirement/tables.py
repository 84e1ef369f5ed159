"""The two decision tables of this stage, with the reference tables that their columns come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.domain.reference import References
from service.requirement._cells import Contract, OutputColumn
from service.requirement._decision_table import DecisionTable
from service.requirement._inputs import AUTHORIZATION_KINDS, COUNTED, columns
from service.requirement.faults import TableProblem, TableRefused

IS_AUTHORIZATION_REQUIRED = "is-authorization-required"
REQUESTED_AUTH_TYPE = "requested-auth-type"
TABLE_NAMES = (IS_AUTHORIZATION_REQUIRED, REQUESTED_AUTH_TYPE)

_REQUESTED = "requested.type"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementTables:
    """What the stage decides by; replaced whole when a file of it changes."""

    is_authorization_required: DecisionTable
    requested_auth_type: DecisionTable
    references: References = field(default_factory=References)

    @property
    def looks_back(self) -> bool:
        """Whether what a line needs depends on a counter that looks back at other claims."""
        read = self.is_authorization_required.columns
        counters = self.references.counters.counters.items()
        return any(each.is_kept and COUNTED + name in read for name, each in counters)


def load_table(
    name: str,
    text: bytes | str,
    references: References,
    templates: frozenset[str],
) -> DecisionTable:
    """Load one of the two tables by its name; raises TableRefused, or KeyError for another name.

    ``templates`` are those that there are: a table that names another one is refused.
    """
    return DecisionTable.load(text, name, contract(name, references, templates))


def load_tables(
    texts: Mapping[str, bytes | str], references: References, templates: frozenset[str]
) -> RequirementTables:
    """Load both tables from texts by their names; raises TableRefused, also for one missing."""
    for name in TABLE_NAMES:
        if name not in texts:
            raise TableRefused(name, (TableProblem("", "no such table"),))
    required, requested = (
        load_table(name, texts[name], references, templates) for name in TABLE_NAMES
    )
    return RequirementTables(
        is_authorization_required=required, requested_auth_type=requested, references=references
    )


def contract(name: str, references: References, templates: frozenset[str]) -> Contract:
    """The columns that a table reads and answers; raises KeyError for an unknown table.

    What is looked for is known only once it is decided that something is: so ``requested.type`` is
    a column of the second table alone. Counters are columns of the first.
    """
    inputs = columns(references)
    if name == IS_AUTHORIZATION_REQUIRED:
        del inputs[_REQUESTED]
        needed = OutputColumn(allowed=AUTHORIZATION_KINDS, many=True)
        linked = OutputColumn(allowed=AUTHORIZATION_KINDS, many=True, required=False)
        return Contract(inputs=inputs, outputs={"needed": needed, "linked": linked})
    if name == REQUESTED_AUTH_TYPE:
        inputs = {each: column for each, column in inputs.items() if not each.startswith(COUNTED)}
        return Contract(inputs=inputs, outputs={"template": OutputColumn(allowed=templates)})
    raise KeyError(name)
