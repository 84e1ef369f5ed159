"""What may be asked for: the names of scopes, roles as sets of them, and what an answer withholds.

Four of the first five are those of seed 000 (prerequisites); the others are ours.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

SCOPES: Mapping[str, str] = {
    "billing.charge.read": "see what a line needs, the events of a claim, and what became of it",
    "clinical.authorization.read": "view authorizations, what is used of them, and who a member is",
    "clinical.authorization.write": "push and withdraw authorizations, select one for a claim line",
    "clinical.authorization.enter": "enter authorizations by hand, add documents, confirm entries",
    "clinical.authorization.request": "send 278 interchanges, and have inquiries answered",
    "claims.match": "match claims; writes nothing",
    "claims.adjudicate": "adjudicate claims: draw their units, and make them final",
    "claims.reverse": "give units of claims back: release, reverse, adjust",
    "worklist.work": "see the worklist, and decide its items",
    "worklist.assign": "give items of the worklist to others",
    "rules.read": "see templates, tables and reference data",
    "rules.edit": "write drafts of rules",
    "rules.approve": "put rules in force that somebody else wrote",
    "intake.operate": "see, retry and drop what could not be taken in",
    "members.merge": "merge member ids",
    "balances.correct": "correct what is used of an authorization by hand",
    "override": "use an authorization that is denied or pended",
    "audit.read": "read the audit trail",
    "admin": "make, list, rotate and revoke API keys",
    "act-for": "name somebody else for whom a request is made (`by`)",
}
"""Every scope with what it lets one do, in the order in which they are documented."""

ALL = frozenset(SCOPES)

Roles = Mapping[str, frozenset[str]]
"""Named sets of scopes."""


class RolesRefused(ValueError):
    """A file of roles that cannot be meant: where, and why."""


def read_roles(file: Path) -> Roles:
    """Read the roles of a file, each a list of scopes; raises RolesRefused."""
    try:
        content: Any = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise RolesRefused(f"{file}: it cannot be read as YAML") from error
    if not isinstance(content, dict) or not content:
        raise RolesRefused(f"{file}: it must be a mapping of role to a list of scopes")
    return {_name(file, role): _scopes(file, role, given) for role, given in content.items()}


def _name(file: Path, role: object) -> str:
    if not isinstance(role, str) or not role.strip():
        raise RolesRefused(f"{file}: the name of a role must be a text")
    return role


def _scopes(file: Path, role: str, given: object) -> frozenset[str]:
    if not isinstance(given, list) or not given:
        raise RolesRefused(f"{file}: /{role}: it must be a list of scopes")
    for place, each in enumerate(given):
        if not isinstance(each, str) or each not in ALL:
            raise RolesRefused(f"{file}: /{role}/{place}: there is no such scope")
    return frozenset(given)


_OF_AUTHORIZATIONS: Mapping[str, Any] = {
    "candidates": [],
    "near_misses": [],
    "history": [],
    "chosen": [],
    "adjudicated_authorizations": [],
    "returned": [],
    "tried_authorizations": [],
    "authorizations": [],
    "authorization_id": None,
    "number": None,
    "fits": None,
}
_OF_CHARGES: Mapping[str, Any] = {
    "events": [],
    "resolved_events": [],
    "requirement": None,
    "required": None,
}
_WITHHELD: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("billing.charge.read", _OF_CHARGES),
    ("clinical.authorization.read", _OF_AUTHORIZATIONS),
)
"""The scope that a part of an answer needs, and what stands there without it (seed 000)."""


def shown(answer: Any, scopes: frozenset[str]) -> Any:
    """The answer to a claim without what the scopes do not let one see.

    What was taken out is empty or null, and `withheld` names the scopes that it needs.
    """
    missing = [(scope, emptied) for scope, emptied in _WITHHELD if scope not in scopes]
    if not missing:
        return answer
    blanks = {name: blank for _, emptied in missing for name, blank in emptied.items()}
    return {**_without(answer, blanks), "withheld": [scope for scope, _ in missing]}


def _without(value: Any, blanks: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {
            name: blanks[name] if name in blanks else _without(each, blanks)
            for name, each in value.items()
        }
    return [_without(each, blanks) for each in value] if isinstance(value, list) else value
