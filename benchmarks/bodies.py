"""The bare searches that the service is set against: the scored query of every line, as a body.

And the one search by which the service finds the candidates of all lines.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from service.domain.charge import Charge
from service.domain.claim import Claim
from service.flow.matching.match import LineSearch, ask
from service.querying.search import candidate_search, scored_search
from service.requirement.decision import decide_requirement
from service.rules.book import RuleBook
from service.stores.authorizations.search import search_body
from service.stores.connection.names import routing


def asked(claim: Claim, rules: RuleBook) -> list[LineSearch]:
    """Read the lines of a claim into their templates."""
    requirements = {
        line.line: decide_requirement(claim, line, rules.tables) for line in claim.lines
    }
    return list(ask(claim, requirements, rules))


def scored_bodies(claim: dict[str, Any], payer: str, rules: RuleBook) -> list[dict[str, Any]]:
    """Compile the scored query of every line of a claim."""
    read = Claim.model_validate(claim)
    return [
        search_body(payer, [read.member.id], scored_search(each.asked))
        for each in asked(read, rules)
    ]


def msearch(claim: dict[str, Any], payer: str, rules: RuleBook, index: str) -> bytes:
    """Write the scored queries of a claim as one `_msearch`."""
    header = {
        "index": index,
        "routing": routing(payer, claim["member"]["id"]),
        "allow_partial_search_results": False,
    }
    lines = [part for body in scored_bodies(claim, payer, rules) for part in (header, body)]
    return b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in lines)


def one_search(claim: dict[str, Any], payer: str, rules: RuleBook, index: str) -> tuple[str, bytes]:
    """Write the scored query of a claim of one line as a search: path and body."""
    (body,) = scored_bodies(claim, payer, rules)
    return _path(claim, payer, index), orjson.dumps(body)


def candidates(claim: dict[str, Any], payer: str, rules: RuleBook, index: str) -> tuple[str, bytes]:
    """Write the search of all that could cover the lines of a claim: path and body."""
    read = Claim.model_validate(claim)
    search = candidate_search([each.asked for each in asked(read, rules)], nearby=True)
    body = search_body(payer, [read.member.id], search)
    return _path(claim, payer, index), orjson.dumps(body)


def _path(claim: dict[str, Any], payer: str, index: str) -> str:
    route = routing(payer, claim["member"]["id"]).replace("|", "%7C")
    return f"/{index}/_search?routing={route}&allow_partial_search_results=false"


def with_lines(claims: Sequence[dict[str, Any]], lines: int) -> list[dict[str, Any]]:
    """Cut claims to so many lines."""
    return [claim | {"lines": claim["lines"][:lines]} for claim in claims]


def charge(claim: Mapping[str, Any]) -> dict[str, Any]:
    """The charge of the first line of a claim."""
    line, fields = claim["lines"][0], Charge.model_fields
    known = {each.alias or name for name, each in fields.items()}
    said = {name: each for name, each in {**claim, **line}.items() if name in known}
    return said | {"charge_id": claim["claim_id"]}
