"""Who looks at a page: a caller as those of the API, what his forms say, and that he sent them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from service.access.subject import Subject
from service.api.body import media_type_of, read_any_body
from service.api.browser import SAFE, Held, check_page, origin
from service.api.caller import declared, who_asks
from service.api.problem import Refused
from service.application.parts import Application, Caller, caller_for
from service.application.refusals import (
    EngineFault,
    Forged,
    NotAuthenticated,
    NotForPayer,
    NotPermitted,
)

FORM = "application/x-www-form-urlencoded"
FORM_WITH_FILES = "multipart/form-data"
FIELDS_MAX = 1000
TOKEN = "csrf_token"  # noqa: S105 - the name of a field
Fields = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page: who asks, the token that his forms send, and what they say."""

    request: Request
    caller: Caller
    token: str
    fields: Fields

    def field(self, name: str) -> str:
        """What a field of a form says, without blanks around it; nothing where it is not there."""
        return self.fields.get(name, ("",))[-1].strip()

    def words(self, name: str) -> list[str]:
        """The words of a field, between blanks or commas."""
        return self.field(name).replace(",", " ").split()

    def file(self, name: str) -> tuple[str, bytes] | None:
        """The media type and content of a file that was chosen; None where none was."""
        files: Mapping[str, tuple[str, bytes]] = getattr(self.request.state, "files", {})
        media_type, content = files.get(name, ("", b""))
        return (media_type, content) if content else None

    def may(self, *scopes: str) -> bool:
        """Whether all these scopes are his."""
        return self.caller.subject.scopes.issuperset(scopes)


class SignInNeeded(Exception):
    """Nobody is signed in, or not any more; ``fields`` is what a form would have sent."""

    def __init__(self, reason: str, fields: Fields) -> None:
        """Keep what was typed."""
        super().__init__(reason)
        self.fields = fields


class SendAgain(Exception):
    """A page of ours sent a form under another session; with ``token`` it may be sent again."""

    def __init__(self, fields: Fields, token: str) -> None:
        """Keep what was typed."""
        super().__init__("the form is from another session")
        self.fields, self.token = fields, token


class PayerNeeded(Exception):
    """Somebody works for several payers, and chose none; ``token`` is for his choice."""

    def __init__(self, payers: Sequence[str], token: str) -> None:
        """Keep the payers."""
        super().__init__("one of several payers must be chosen")
        self.payers, self.token = payers, token


async def visiting(request: Request) -> Visit:
    """Who asks for a page, if he may; a page that declares no scope is closed.

    Raises what ``anybody`` does, and NotPermitted.
    """
    visit = await anybody(request)
    wanted = declared(request.scope["endpoint"])
    missing = [each for each in wanted if not visit.may(each)]
    if missing or not wanted:
        raise NotPermitted(missing[0] if missing else "admin")
    return visit


async def anybody(request: Request) -> Visit:
    """Whoever is signed in, for pages that ask of each thing on them whether he may see it.

    Raises SignInNeeded, SendAgain, PayerNeeded, Forged, Refused (400, 413, 415), TooMany,
    EngineFault.
    """
    application: Application = request.app.state.application
    is_form = request.method not in SAFE
    try:
        subject, one = await who_asks(request)
    except NotAuthenticated as refused:
        fields = await _typed(request, application) if is_form else {}
        raise SignInNeeded(str(refused), _without_token(fields)) from refused
    except EngineFault:
        request.state.typed = await _typed(request, application) if is_form else {}
        raise
    token = "" if one is None else application.gate.sessions.csrf_token(one.id)
    fields = await _read(request, application) if is_form else {}
    request.state.typed = fields
    if is_form and one is not None:
        _check(request, application, one, fields, token)
    payer = _payer(request, application, subject, one, token)
    caller = caller_for(application, payer, subject)
    return Visit(request, caller, token, _without_token(fields))


Visiting = Annotated[Visit, Depends(visiting)]
"""A parameter of every page but those for anybody."""
Anybody = Annotated[Visit, Depends(anybody)]


def _payer(
    request: Request, application: Application, subject: Subject, one: Held | None, token: str
) -> str:
    named = [value for name, value in request.scope["headers"] if name == b"x-payer"]
    chosen = one.session.payer if one else None
    try:
        return application.gate.payer_of(subject, named, chosen)
    except NotForPayer as refused:
        if one is None or not subject.payers:
            raise
        raise PayerNeeded(sorted(subject.payers), token) from refused


def _check(
    request: Request, application: Application, one: Held, fields: Fields, token: str
) -> None:
    """See to it that a page of ours sent a form; raises SendAgain for one of an older session."""
    given = fields.get(TOKEN, ("",))[-1]
    try:
        check_page(request, application, one, given)
    except Forged:
        if not _is_ours(request, application):
            raise
        check_page(request, application, one, token)  # all else must be right
        raise SendAgain(_without_token(fields), token) from None


async def _typed(request: Request, application: Application) -> Fields:
    """What a form of ours says, to be shown to whoever sent it; of other sites nothing is."""
    if not _is_ours(request, application):
        return {}
    return await _read(request, application)


def _is_ours(request: Request, application: Application) -> bool:
    """Whether a browser says that one of our pages sends a form."""
    said = request.headers.get("origin")
    return said is not None and said == origin(request, application)


async def _read(request: Request, application: Application) -> Fields:
    media_type, settings = media_type_of(request), application.settings
    if media_type == FORM_WITH_FILES:
        most = settings.document_bytes_max + settings.body_bytes_max
        fields, files = _parts_of(request, await read_any_body(request, most))
        request.state.files = files
        return fields
    if media_type != FORM:
        raise Refused(415, "Unsupported media type", f"a page sends {FORM}")
    content = await read_any_body(request, settings.body_bytes_max)
    try:
        text = content.decode("ascii")
        return parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise _unreadable() from error


def _parts_of(request: Request, content: bytes) -> tuple[Fields, Mapping[str, tuple[str, bytes]]]:
    """The fields of a form with files (RFC 7578), and the files, of none nothing; Refused (400)."""
    head = Message()
    head["content-type"] = request.headers["content-type"]
    boundary = head.get_param("boundary")
    pieces = f"\r\n--{boundary}".encode()
    found = (b"\r\n" + content).split(pieces)[1:]
    if not isinstance(boundary, str) or len(found) > FIELDS_MAX:
        raise _unreadable()
    fields: dict[str, list[str]] = {}
    files: dict[str, tuple[str, bytes]] = {}
    for piece in found:
        if piece.startswith(b"--"):
            return fields, files
        said, _, value = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(said)
        name = headers.get_param("name", header="content-disposition")
        is_file = headers.get_param("filename", header="content-disposition") is not None
        try:
            if is_file:
                files[str(name)] = (headers.get_content_type(), value)
            else:
                fields.setdefault(str(name), []).append(value.decode())
        except UnicodeDecodeError as error:
            raise _unreadable() from error
    raise _unreadable()  # the last boundary did not come


def _unreadable() -> Refused:
    return Refused(400, "Malformed form", "the form cannot be read")


def _without_token(fields: Fields) -> Fields:
    return {name: values for name, values in fields.items() if name != TOKEN}
