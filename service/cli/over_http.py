"""Asks a service that runs, over HTTP: its engines and rules are not needed on this machine."""

import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Annotated, Any

import orjson
import typer
from rich.console import RenderableType

from service.access.tokens import straight
from service.cli.claim_file import AnyClaim, parsed, read_text
from service.cli.faults import PROBLEMS, BadInput
from service.cli.terminal import put_answer, put_line
from service.domain.engine_fault import EngineFault
from service.ingest.submissions import is_x12
from service.settings import ISSUER_URL

KEY = "AUTHMATCH_SERVICE_KEY"
TIMEOUT_S = 60.0
"""So long the next bytes of an answer are waited for."""

ServiceOption = Annotated[
    str | None,
    typer.Option(
        "--service",
        envvar="AUTHMATCH_SERVICE_URL",
        metavar="URL",
        help=f"Ask the service that runs there, with the key in {KEY}.",
    ),
]

View = Callable[[AnyClaim, Any], RenderableType]


def put_answers_of(
    service: str,
    path: str,
    name: str,
    model: type[AnyClaim],
    view: View[AnyClaim],
    *,
    payer: str | None,
    as_json: bool,
    **asked: bool,
) -> None:
    """Have a service answer the claims of a file, and show what it says, as from here.

    Raises BadInput where it refuses, EngineFault where it cannot be reached or is not able now.
    """
    text = read_text(name)
    if not is_x12(text):
        given = parsed(name, text, model)
        answer = ask(service, path, text, payer, **asked)
        put_answer(answer, view(given, answer), as_json=as_json)
        return
    if not as_json:
        raise BadInput("--json: a service answers an 837 file by lines of JSON")
    missed = False
    for line in _lines(service, path, text, "application/edi-x12", payer, asked):
        missed = missed or "problem" in line
        put_line(line)
    if missed:
        raise typer.Exit(PROBLEMS)


def ask(service: str, path: str, question: bytes, payer: str | None, **asked: bool) -> Any:
    """The one answer to a question of JSON; raises BadInput and EngineFault."""
    for answer in _lines(service, path, question, "application/json", payer, asked):
        return answer
    raise _stranger("says nothing")


def _lines(
    service: str, path: str, question: bytes, kind: str, payer: str | None, asked: dict[str, bool]
) -> Iterator[Any]:
    """Ask, and read the answer line by line."""
    if payer is not None:
        raise BadInput("--payer: a service answers for the payer of the key")
    wanted = urllib.parse.urlencode({each: "true" for each, is_so in asked.items() if is_so})
    address = f"{_address(service)}{path}{'?' if wanted else ''}{wanted}"
    headers = {"Content-Type": kind}
    if key := os.environ.get(KEY):
        headers["X-API-Key"] = key
    request = urllib.request.Request(address, question, headers)  # noqa: S310 - see _address
    try:
        with straight().open(request, timeout=TIMEOUT_S) as answer:
            yield from _read(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error) from error
    except (OSError, HTTPException, ValueError, OverflowError) as error:
        raise EngineFault("the service", f"did not answer at {service}") from error


def _address(service: str) -> str:
    """An address to which health data and a key may go."""
    if not re.match(ISSUER_URL, service):
        raise BadInput("--service: an address with https, or with http on this machine")
    return service.rstrip("/")


def _read(answer: HTTPResponse) -> Iterator[Any]:
    try:
        for line in answer:
            yield orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _stranger("says no JSON") from error


def _refusal(error: urllib.error.HTTPError) -> Exception:
    """What a problem of the service means for a command (RFC 9457)."""
    try:
        problem = orjson.loads(error.read())
        reason = str(problem.get("detail") or problem["title"])
    except (ValueError, TypeError, AttributeError, LookupError):
        return _stranger(f"says HTTP {error.code}")
    if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return EngineFault("the service", reason)
    return BadInput(f"the service says {error.code}: {reason}")


def _stranger(what: str) -> EngineFault:
    return EngineFault("the service", f"what answers in its place {what}")
