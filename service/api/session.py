"""Browser sessions over HTTP: sign in, who one is, for which payer, sign out."""

import html
from typing import Annotated, Any
from urllib.parse import parse_qsl

import orjson
from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from service.api import browser
from service.api.body import json_response, media_type_of, read_any_body
from service.api.browser import BEGUN, CSRF_HEADER, Held, check_page, set_cookie
from service.api.caller import Parts, count_failure, who_asks
from service.api.problem import Refused
from service.application import sessions
from service.application.parts import Application
from service.application.refusals import NotAuthenticated, NotFound

router = APIRouter(prefix="/session", tags=["session"], include_in_schema=False)
"""Each says something of whoever asks, and of nobody else; no scope is needed."""

HERE = "/session"
FORM = "application/x-www-form-urlencoded"
BODY_BYTES_MAX = 4096
OF_PAGES = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}
"""With no-referrer a browser would not say of a form from which site it is (`Origin: null`)."""
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>authmatch</title>{}</html>"""
Next = Annotated[str, Query(alias="next")]
"""The path of this service to which one is sent on."""
_FIELD = '<input type="hidden" name="csrf_token" value="{}">'


@router.get("", summary="Who is signed in")
async def who(request: Request, parts: Parts) -> Response:
    """Say who asks, for which payers, with which scopes; to a browser as a plain page."""
    is_page = "text/html" in request.headers.get("accept", "")
    try:
        subject, one = await who_asks(request)
    except NotAuthenticated:
        if not is_page:
            raise
        return HTMLResponse(_PAGE.format(_nobody(parts)), 401, OF_PAGES)
    told: dict[str, Any] = {
        "kind": subject.kind,
        "name": subject.name,
        "payers": sorted(subject.payers),
        "payer": _payer(subject.payers, one),
        "scopes": sorted(subject.scopes),
        "csrf_token": None if one is None else parts.gate.sessions.csrf_token(one.id),
    }
    if is_page:
        return HTMLResponse(_PAGE.format(_somebody(told)), headers=OF_PAGES)
    return json_response(told)


@router.get("/sign-in", summary="Sign in at the issuer")
async def sign_in(request: Request, parts: Parts, next_: Next = HERE) -> Response:
    """Send a browser to the issuer; it comes back to the callback, and then to `next`."""
    kept, there = sessions.begin(parts, next_)
    return _sent(request, parts, there, kept, BEGUN)


@router.get("/callback", summary="Come back from the issuer")
async def callback(request: Request, parts: Parts) -> Response:
    """Take the code that the issuer gave, once, and open a session."""
    given = parse_qsl(request.url.query, keep_blank_values=True)
    answer = dict(given)
    if len(answer) != len(given):
        raise NotAuthenticated("the answer of the issuer says something twice")
    kept = browser.cookie(request, parts, BEGUN) or ""
    before = browser.cookie(request, parts)
    try:
        opened, next_ = await sessions.finish(parts, kept, answer, before)
    except NotAuthenticated:
        count_failure(request)
        raise
    response = _sent(request, parts, next_, opened)
    set_cookie(response, request, parts, "", BEGUN)
    return response


@router.get("/open", summary="Open a session by a link")
async def open_(request: Request, parts: Parts, ticket: str = "", next_: Next = HERE) -> Response:
    """Open a session of this machine, by a link that was printed here, once; then go to `next`."""
    sessions.check_next(next_)
    if not browser.is_of_machine(request, parts):
        raise NotFound("links open sessions on the machine of the service alone")
    before = browser.cookie(request, parts)
    try:
        opened = await sessions.open_by_ticket(parts, ticket, before)
    except NotAuthenticated:
        count_failure(request)
        raise
    return _sent(request, parts, next_, opened)


@router.post("/payer", summary="Choose a payer")
async def payer(request: Request, parts: Parts) -> Response:
    """Remember for which of its payers the session is; `X-Payer` of a request goes before it."""
    one, fields = await _asked(request, parts)
    await sessions.choose(parts, one.id, one.session, one.subject, fields.get("payer", ""))
    return _done(request, fields)


@router.post("/sign-out", summary="Sign out")
async def sign_out(request: Request, parts: Parts) -> Response:
    """End the session, in every worker."""
    one, fields = await _asked(request, parts)
    await sessions.sign_out(parts, one.id)
    response = _done(request, fields)
    set_cookie(response, request, parts, "")
    return response


async def _asked(request: Request, parts: Application) -> tuple[Held, dict[str, str]]:
    """The session that something is asked of, and the fields of the body: a form, or JSON.

    Raises NotAuthenticated, Forged, Refused (400, 413), EngineFault.
    """
    _, one = await who_asks(request)
    if one is None:
        raise NotAuthenticated("there is no session: sign in first")
    content = await read_any_body(request, BODY_BYTES_MAX)
    if media_type_of(request) == FORM:
        fields = dict(parse_qsl(content.decode("latin-1")))
    else:
        fields = _fields(content)
    token = request.headers.get(CSRF_HEADER) or fields.get("csrf_token")
    check_page(request, parts, one, token)
    return one, fields


def _fields(content: bytes) -> dict[str, str]:
    try:
        given = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise Refused(400, "Malformed JSON", "an object of texts is needed")
    return given


def _sent(
    request: Request, parts: Application, there: str, value: str, suffix: str = ""
) -> Response:
    response = RedirectResponse(there, 303)
    set_cookie(response, request, parts, value, suffix)
    return response


def _done(request: Request, fields: dict[str, str]) -> Response:
    if media_type_of(request) == FORM:
        return RedirectResponse(sessions.check_next(fields.get("next", HERE)), 303)
    return Response(status_code=204)


def _payer(payers: frozenset[str], one: Held | None) -> str | None:
    chosen = None if one is None else one.session.payer
    if chosen in payers:
        return chosen
    return next(iter(payers)) if len(payers) == 1 else None


def _nobody(parts: Application) -> str:
    if parts.gate.sign_in is None:
        return "<p>Nobody is signed in. <code>authmatch session link</code> gives a link.</p>"
    return f'<p>Nobody is signed in. <a href="{HERE}/sign-in">Sign in</a></p>'


def _somebody(told: dict[str, Any]) -> str:
    texts = {
        name: ", ".join(each) if isinstance(each, list) else each
        for name, each in told.items()
        if each and name != "csrf_token"
    }
    rows = (f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in texts.items())
    body = f"<h1>authmatch</h1><dl>{''.join(rows)}</dl>"
    if told["csrf_token"] is None:
        return body
    field = _FIELD.format(told["csrf_token"])
    choices = "".join(
        f'<button name="payer" value="{html.escape(each)}">{html.escape(each)}</button>'
        for each in told["payers"]
        if each != told["payer"]
    )
    if choices:
        body += f'<form method="post" action="{HERE}/payer">{field}Work for {choices}</form>'
    leave = f"{field}<button>Sign out</button>"
    return f'{body}<form method="post" action="{HERE}/sign-out">{leave}</form>'
