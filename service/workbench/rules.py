"""The rules studio: sets in force, drafts with texts and checks, studies, reports, history."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from service.api.body import read_model
from service.api.caller import needs
from service.api.problem import Refused, refused_of
from service.application import (
    reports,
    rules,
    rules_drafts,
    rules_publishing,
    rules_shadow,
    rules_stages,
    studies,
    suggestions,
)
from service.application.parts import Caller
from service.application.refusals import (
    BadPart,
    NoSuchStudy,
    NotDone,
    NotPermitted,
    RulesRefused,
    StepRefused,
    TooMuchWaits,
    UnknownClaim,
)
from service.application.reports import EvaluationAsked, ReportAsked
from service.application.rules import Asked
from service.application.rules_drafts import (
    ApprovalAsked,
    DraftEdited,
    DraftWanted,
    Tried,
    TryAsked,
)
from service.application.rules_publishing import PublishAsked, RollbackAsked
from service.application.rules_shadow import ShadowAsked
from service.application.rules_stages import StageAsked, WidenAsked
from service.application.studies import KeptFrom, StudyAsked
from service.application.suggestions import SuggestionAsked
from service.domain.answers import ResultAnswer
from service.domain.claim import Claim
from service.domain.misfits import Misfit
from service.rules.fields import fields_of, with_fields
from service.workbench import words
from service.workbench.rendering import PREFIX, page
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=f"{PREFIX}/rules", include_in_schema=False)
SIZE = 50
STUDIED_DAYS = 30
SWEPT_LINES_MAX = 5_000
"""So many lines of a study are swept while somebody waits for the page."""
FORM_MAX = 600
"""So many fields of templates are shown at once; a form is bounded."""
_TEXT, _GONE, _SET = "text:", "gone:", "set:"
DraftId = Annotated[str, Path(pattern="^d[0-9a-f]{16}$")]
ReportId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
FileName = Annotated[str | None, Query(pattern=r"^([a-z]+/)?[a-z0-9_\-]+\.(yaml|json)$")]
Yes = Annotated[bool, Query()]
_REFUSALS = (
    Refused,
    BadPart,
    Misfit,
    ValidationError,
    RulesRefused,
    StepRefused,
    NotDone,
    NoSuchStudy,
    NotPermitted,
    TooMuchWaits,
)
Step = Callable[[Caller, str, Visit], Awaitable[Any]]


@router.get("")
@needs("rules.read")
async def overview(visit: Visiting) -> Response:
    """What is in force, what is on its way, what was studied, and what was done."""
    return await _overview(visit)


@router.post("/rollback")
@needs("rules.approve")
async def rollback(visit: Visiting) -> Response:
    """Put an older set in force, at once, in place of the one that was shown."""
    try:
        given: dict[str, Any] = {name: _whole(visit.field(name)) for name in ("to", "over")}
        given["reason"] = visit.field("reason")
        await rules_publishing.rollback(visit.caller, RollbackAsked.model_validate(given))
    except _REFUSALS as refusal:
        return await _overview(visit, refused_of(refusal))
    return RedirectResponse(f"{PREFIX}/rules", 303)


@router.post("/stage")
@needs("rules.approve")
async def stage(visit: Visiting) -> Response:
    """Have the set in stages that was shown judge more of the claims, or take it back."""
    given = {"reason": visit.field("reason"), "number": _whole(visit.field("number"))}
    try:
        if visit.field("step") == "return":
            await rules_stages.take_back(visit.caller, StageAsked.model_validate(given))
        else:
            given["share"] = _whole(visit.field("share"))
            await rules_stages.widen(visit.caller, WidenAsked.model_validate(given))
    except _REFUSALS as refusal:
        return await _overview(visit, refused_of(refusal))
    return RedirectResponse(f"{PREFIX}/rules", 303)


@router.post("/studies")
@needs("rules.edit", "clinical.authorization.read", "billing.charge.read")
async def study(visit: Visiting) -> Response:
    """Have a study made of claims that were kept lately, or of the golden set."""
    last = datetime.now(UTC).date()
    kept = {"from": last - timedelta(days=STUDIED_DAYS), "to": last}
    is_golden = visit.field("of") == "golden"
    try:
        source = {"golden": True} if is_golden else {"kept": KeptFrom.model_validate(kept)}
        asked = StudyAsked.model_validate({"name": visit.field("name"), **source})
        await studies.begin(visit.caller, asked)
    except _REFUSALS as refusal:
        return await _overview(visit, refused_of(refusal))
    return RedirectResponse(f"{PREFIX}/rules", 303)


@router.post("/sweep")
@needs("rules.read", "clinical.authorization.read", "billing.charge.read")
async def sweep(visit: Visiting) -> Response:
    """What one key of the rules in force comes to at several values, on a study."""
    caller = visit.caller
    try:
        values = reports.values_in(visit.field("values"))
        in_force, key = await studies.set_in_force(caller), visit.field("key")
        swept = await reports.swept(
            caller, visit.field("study"), in_force, key, values, lines_max=SWEPT_LINES_MAX
        )
    except _REFUSALS as refusal:
        return await _overview(visit, refused_of(refusal))
    return page(visit, "sweep.html", swept=swept)


@router.post("/suggestions")
@needs("rules.edit", "clinical.authorization.read", "billing.charge.read")
async def suggest(visit: Visiting) -> Response:
    """Have thresholds, leads and weights looked for that labelled lines of a study speak for."""
    try:
        given = {"study": visit.field("study"), "reason": visit.field("reason")}
        made = await suggestions.begin(visit.caller, SuggestionAsked.model_validate(given))
    except _REFUSALS as refusal:
        return await _overview(visit, refused_of(refusal))
    return RedirectResponse(f"{PREFIX}/rules/suggestions/{made.id}", 303)


@router.get("/suggestions/{suggestion_id}")
@needs("rules.read")
async def suggestion(visit: Visiting, suggestion_id: ReportId) -> Response:
    """How far a suggestion is; of one that is done what it comes to, its draft and its report."""
    head = await suggestions.read(visit.caller, suggestion_id)
    return page(visit, "suggestion.html", one=studies.told(head))


@router.get("/drafts/new")
@needs("rules.edit")
async def new(visit: Visiting, file: FileName = None) -> Response:
    """A file of the set in force, to be changed in a draft."""
    return await _new(visit, file)


@router.post("/drafts/new")
@needs("rules.edit")
async def begin(visit: Visiting, file: FileName = None) -> Response:
    """Begin a draft with what was typed."""
    try:
        given = {"title": visit.field("title"), "reason": visit.field("reason")}
        wanted = DraftWanted.model_validate({**given, "changed": await _texts(visit)})
        made = await rules_drafts.begin(visit.caller, wanted)
    except _REFUSALS as refusal:
        return await _new(visit, file, refused_of(refusal))
    return RedirectResponse(f"{PREFIX}/rules/drafts/{made['id']}?check=true", 303)


@router.get("/drafts/{draft_id}")
@needs("rules.read")
async def draft(
    visit: Visiting, draft_id: DraftId, file: FileName = None, check: Yes = False
) -> Response:
    """A draft: its texts, what is wrong with them, what differs, and what may be done next."""
    return await _draft(visit, draft_id, file=file, is_checked=check and visit.may("rules.edit"))


@router.post("/drafts/{draft_id}")
@needs("rules.read")
async def step(visit: Visiting, draft_id: DraftId) -> Response:
    """Take a step of a draft's life; what is refused is shown over what was typed."""
    name = visit.field("step")
    if name == "try":
        return await _tried(visit, draft_id)
    if name not in STEPS:
        return await _draft(
            visit, draft_id, refused=Refused(422, "Invalid content", "there is no such step")
        )
    scope, take = STEPS[name]
    try:
        visit.caller.subject.demand(scope, "/step")
        await take(visit.caller, draft_id, visit)
    except _REFUSALS as refusal:
        return await _draft(visit, draft_id, typed=_typed(visit), refused=refused_of(refusal))
    checked = "?check=true" if name in ("save", "check") else ""
    return RedirectResponse(f"{PREFIX}/rules/drafts/{draft_id}{checked}", 303)


@router.get("/reports/{report_id}")
@needs("rules.read", "clinical.authorization.read", "billing.charge.read")
async def report(visit: Visiting, report_id: ReportId) -> Response:
    """How far a report is; one that is done is shown within."""
    head = await reports.read(visit.caller, report_id)
    return page(visit, "report.html", report=studies.told(head))


async def _save(caller: Caller, draft_id: str, visit: Visit) -> Any:
    names = ("reason", "content")
    given: dict[str, Any] = {name: visit.field(name) for name in names}
    given["changed"] = await _texts(visit)
    return await rules_drafts.edit(caller, draft_id, DraftEdited.model_validate(given))


async def _evaluate(caller: Caller, draft_id: str, visit: Visit) -> Any:
    given = {"reason": visit.field("reason"), "report": visit.field("report") or None}
    return await reports.evaluated(caller, draft_id, EvaluationAsked.model_validate(given))


async def _report(caller: Caller, draft_id: str, visit: Visit) -> Any:
    for each in ("clinical.authorization.read", "billing.charge.read"):
        caller.subject.demand(each, "/step")
    given = {"study": visit.field("study"), "draft": draft_id}
    return await reports.begin(caller, ReportAsked.model_validate(given))


async def _approve(caller: Caller, draft_id: str, visit: Visit) -> Any:
    given = {"reason": visit.field("reason"), "content": visit.field("content")}
    return await rules_drafts.approve(caller, draft_id, ApprovalAsked.model_validate(given))


async def _publish(caller: Caller, draft_id: str, visit: Visit) -> Any:
    names = ("reason", "effective_from", "despite_gates")
    given: dict[str, Any] = {name: visit.field(name) or None for name in names}
    given["share"] = _whole(visit.field("share"))
    return await rules_publishing.publish(caller, draft_id, PublishAsked.model_validate(given))


def _with_why(take: Callable[[Caller, str, Asked], Awaitable[Any]]) -> Step:
    async def taken(caller: Caller, draft_id: str, visit: Visit) -> Any:
        asked = Asked.model_validate({"reason": visit.field("reason")})
        return await take(caller, draft_id, asked)

    return taken


async def _shadow(caller: Caller, draft_id: str, visit: Visit) -> Any:
    given = {"reason": visit.field("reason"), "share": _whole(visit.field("share"))}
    return await rules_shadow.start(caller, draft_id, ShadowAsked.model_validate(given))


async def _check(caller: Caller, draft_id: str, visit: Visit) -> None:
    """Nothing: the page that follows shows what is wrong."""


STEPS: Mapping[str, tuple[str, Step]] = {
    "save": ("rules.edit", _save),
    "check": ("rules.edit", _check),
    "report": ("rules.edit", _report),
    "evaluate": ("rules.edit", _evaluate),
    "submit": ("rules.edit", _with_why(rules_drafts.submit)),
    "drop": ("rules.edit", _with_why(rules_drafts.drop)),
    "shadow": ("rules.edit", _shadow),
    "unshadow": ("rules.edit", _with_why(rules_shadow.stop)),
    "approve": ("rules.approve", _approve),
    "reject": ("rules.approve", _with_why(rules_drafts.reject)),
    "publish": ("rules.approve", _publish),
}
"""The steps of a draft, each with the scope that its route of the API needs."""


async def _overview(visit: Visit, refused: Refused | None = None) -> Response:
    caller = visit.caller
    jobs = ("study", "report", "suggestion")
    made = [studies.listing(caller, each, size=SIZE, after=None) for each in jobs]
    in_force, sets, drafts, history, listed = await asyncio.gather(
        rules_stages.in_force(caller),
        rules.versions(caller, size=SIZE, after=None),
        rules_drafts.drafts(caller, is_open=True, size=SIZE, after=None),
        rules.history(caller, None, size=SIZE, after=None),
        asyncio.gather(*made),
    )
    studied, reported, suggested = ([studies.told(each) for each in one.entries] for one in listed)
    today_set = next(each for each in in_force["sets"] if each["state"] == "active")
    return page(
        visit,
        "rules.html",
        refused.status if refused else 200,
        refused=refused,
        in_force=in_force,
        files=sorted((await rules.version(caller, today_set["number"]))["texts"]),
        sets=sets["items"],
        drafts=drafts["items"],
        history=history["items"],
        studies=studied,
        reports=reported,
        suggestions=suggested,
    )


async def _new(visit: Visit, file: str | None, refused: Refused | None = None) -> Response:
    number, texts = await rules.active_texts(visit.caller)
    typed = _typed(visit)
    shown = {name: text for name, text in typed.items() if text is not None}
    if not shown and file is not None:
        shown = {file: texts.get(file, "")}
    return page(
        visit,
        "new_draft.html",
        refused.status if refused else 200,
        refused=refused,
        number=number,
        file=file,
        files=sorted(texts),
        shown=shown,
        forms=await asyncio.to_thread(_forms, shown),
        problems=[],
    )


async def _draft(
    visit: Visit,
    draft_id: str,
    *,
    file: str | None = None,
    typed: Mapping[str, str | None] | None = None,
    is_checked: bool = False,
    tried: Tried | None = None,
    refused: Refused | None = None,
) -> Response:
    caller = visit.caller
    one = await rules_drafts.draft(caller, draft_id)
    base, diff, live, history, studied, reported = await asyncio.gather(
        rules.version(caller, one["base"]),
        rules.diff(caller, str(one["base"]), draft_id),
        rules_shadow.shown(caller, draft_id),
        rules.history(caller, draft_id, size=SIZE, after=None),
        studies.listing(caller, "study", size=SIZE, after=None),
        studies.listing(caller, "report", size=SIZE, after=None),
    )
    shown = {**one["changed"], **(typed or {})}
    if file is not None:
        shown.setdefault(file, base["texts"].get(file, ""))
    checked = await rules_drafts.check(caller, draft_id) if is_checked else None
    problems = tried["problems"] if tried else checked["problems"] if checked else []
    ours = [each for each in map(studies.told, reported.entries) if each.get("draft") == draft_id]
    return page(
        visit,
        "draft.html",
        refused.status if refused else 200,
        refused=refused,
        draft=one,
        shown=shown,
        files=sorted(base["texts"]),
        forms=await asyncio.to_thread(_forms, shown),
        checked=checked,
        problems=problems,
        tried=tried,
        compared=_compared(tried) if tried else [],
        changes=diff["changes"],
        live=live,
        history=history["items"],
        studies=[studies.told(each) for each in studied.entries],
        reports=ours,
    )


async def _tried(visit: Visit, draft_id: str) -> Response:
    """Show what a claim would come to by what is typed; an id stands for one that is known."""
    caller, wanted = visit.caller, visit.field("claim")
    try:
        for each in ("rules.edit", "claims.match", "clinical.authorization.read"):
            caller.subject.demand(each, "/step")
        is_whole = wanted.startswith("{")
        claim = read_model(Claim, wanted.encode()) if is_whole else None
        claim_id = None if is_whole else wanted or None
        asked = TryAsked(changed=await _texts(visit), claim=claim, claim_id=claim_id)
        tried = await rules_drafts.tried(caller, draft_id, asked)
    except (*_REFUSALS, UnknownClaim) as refusal:
        return await _draft(visit, draft_id, typed=_typed(visit), refused=refused_of(refusal))
    return await _draft(visit, draft_id, typed=_typed(visit), tried=tried)


Compared = list[tuple[ResultAnswer | None, ResultAnswer | None, bool]]


def _compared(tried: Tried) -> list[tuple[int, Compared]]:
    """Of each line what was found by either, and whether that is the same, by kind."""
    if tried["before"] is None or tried["after"] is None:
        return []
    found: list[tuple[int, Compared]] = []
    for one, other in zip(tried["before"]["lines"], tried["after"]["lines"], strict=True):
        was = {each["type"]: each for each in one["results"]}
        now = {each["type"]: each for each in other["results"]}
        kinds = dict.fromkeys((*was, *now))
        pairs = [(was.get(kind), now.get(kind)) for kind in kinds]
        found.append((one["line"], [(*each, _said(each[0]) == _said(each[1])) for each in pairs]))
    return found


def _said(result: ResultAnswer | None) -> dict[str, Any] | None:
    """What a result says, but for which template, of which version, says it."""
    told = (result or {}).items()
    return {name: value for name, value in told if not name.startswith("template")} or None


async def _texts(visit: Visit) -> dict[str, str | None]:
    """The texts of a form with what was set in its fields; raises Refused where that cannot be."""
    texts = _typed(visit)
    wanted: dict[str, dict[tuple[str, ...], str]] = {}
    for name in (each for each in visit.fields if each.startswith(_SET)):
        file, _, rest = name.removeprefix(_SET).partition(":")
        was, _, path = rest.rpartition(":")
        if visit.field(name) != was:
            wanted.setdefault(file, {})[tuple(path.split("/"))] = visit.field(name)
    for file, values in wanted.items():
        try:
            texts[file] = await asyncio.to_thread(with_fields, texts.get(file) or "", values)
        except ValueError as error:
            raise Refused(422, "Invalid content", f"{file}: {error}") from error
    return texts


def _typed(visit: Visit) -> dict[str, str | None]:
    """The texts of files that a form has, with the ends of lines that files have.

    None is a file that is taken out.
    """
    gone = {name.removeprefix(_GONE): None for name in visit.fields if name.startswith(_GONE)}
    return gone | {
        name.removeprefix(_TEXT): values[-1].replace("\r\n", "\n")
        for name, values in visit.fields.items()
        if name.startswith(_TEXT)
    }


def _forms(shown: Mapping[str, str | None]) -> dict[str, dict[str, list[Any]]]:
    """Of each template the fields by what they are of, each with its name in a form."""
    found: dict[str, dict[str, list[Any]]] = {}
    left = FORM_MAX
    for file, text in shown.items():
        fields = fields_of(text)[:left] if text and "/" not in file else ()
        left -= len(fields)
        for each in fields:
            of, what = words.key(each.path)
            name = f"{_SET}{file}:{each.written}:{'/'.join(each.path)}"
            found.setdefault(file, {}).setdefault(of, []).append((what, name, each))
    for form in found.values():
        for rows in form.values():
            rows.sort(key=lambda row: row[2].kind in ("text", "list"))
    return found


def _whole(text: str) -> int | str | None:
    return int(text) if text.isdecimal() and len(text) < 10 else text or None
