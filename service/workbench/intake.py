"""Intake: what could not be taken in, where it is wrong, and how it is mended and tried again."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import RedirectResponse, Response

from service.api.caller import needs
from service.api.claims import After
from service.api.problem import Refused, refused_of
from service.application import authorizations, intake
from service.application.intake import Letter, LetterFilter, Ruling
from service.application.refusals import LetterConflict, NotFound, NotPermitted
from service.domain.differences import differences
from service.workbench.rendering import PREFIX, address, page
from service.workbench.visit import Visit, Visiting

router = APIRouter(prefix=f"{PREFIX}/intake", include_in_schema=False)
SIZE = 50
LINES_MAX = 2000
LAID_OUT_MAX = 256 * 1024
"""The characters of a message that is laid out; of a longer one the beginning is shown."""
BEFORE = 20
_END = "end"
"""Stands for the pointer of a line on which nothing begins."""
Name = Annotated[str, Path(max_length=100)]
Code = Annotated[str | None, Query(max_length=40, pattern=r"^[\w.\-]*$")]


@router.get("")
@needs("intake.operate")
async def listing(
    visit: Visiting, status: Code = "open", code: Code = None, after: After = None
) -> Response:
    """Dead letters, those that came last first, and how many pushes wait to be stored."""
    wanted = LetterFilter(status=status or None, code=code or None)
    found = await intake.letters(visit.caller, wanted, size=SIZE, after=after)
    waiting = await intake.waiting(visit.caller)
    came = await intake.came(visit.caller) if after is None else None
    return page(
        visit,
        "intake.html",
        found=found,
        waiting=waiting,
        came=came,
        ways=intake.WAYS,
        days=intake.CAME_DAYS,
        state=status or "",
        code=code or "",
    )


@router.get("/{letter_id}")
@needs("intake.operate")
async def letter(visit: Visiting, letter_id: Name) -> Response:
    """A dead letter with the place where it is wrong, and what may be done."""
    return await _shown(visit, letter_id)


@router.post("/{letter_id}/retry")
@needs("intake.operate")
async def retry(visit: Visiting, letter_id: Name) -> Response:
    """Take it in as it came, or mended; what was typed is shown again where it cannot be."""
    is_mended = visit.field("step") == "mended"
    typed = visit.fields.get("content", ("",))[-1].replace("\r\n", "\n")
    ruling = Ruling(into=visit.field("into") or None, is_distinct=bool(visit.field("distinct")))
    try:
        retried = await intake.retry(
            visit.caller,
            letter_id,
            corrected=typed.encode() if is_mended else None,
            by=None,
            ruling=ruling,
        )
    except (LetterConflict, NotPermitted) as refusal:
        return await _shown(visit, letter_id, typed=typed, refused=refused_of(refusal))
    if retried.letter.status == "resolved":
        return RedirectResponse(address("intake", letter_id), 303)
    return await _shown(visit, letter_id, typed=typed if is_mended else "", results=retried.results)


@router.post("/{letter_id}/drop")
@needs("intake.operate")
async def drop(visit: Visiting, letter_id: Name) -> Response:
    """Say that nobody wants it any more, and why."""
    if not (why := visit.field("why")):
        refused = Refused(422, "Invalid content", "say why nobody wants it")
        return await _shown(visit, letter_id, refused=refused)
    try:
        await intake.drop(visit.caller, letter_id, by=None, why=why[:1000])
    except LetterConflict as refusal:
        return await _shown(visit, letter_id, refused=refused_of(refusal))
    return RedirectResponse(address("intake", letter_id), 303)


async def _shown(
    visit: Visit,
    letter_id: str,
    *,
    typed: str = "",
    refused: Refused | None = None,
    results: Any = (),
) -> Response:
    one = await intake.letter(visit.caller, letter_id)
    text = one.readable() if one.content is not None else {"content": None, "encoding": None}
    is_text = text["encoding"] == "utf-8"
    content = text["content"] or ""
    lines, is_whole = shown_of(one, content) if is_text else ([], True)
    return page(
        visit,
        "letter.html",
        refused.status if refused else 200,
        letter=one,
        lines=lines,
        has_more=not is_whole,
        content=typed or "\n".join(line for line, _ in lines),
        is_text=is_text,
        refused=refused,
        results=results,
        beside=await _beside(visit, one, content) if one.on_file and is_whole else None,
    )


async def _beside(visit: Visit, one: Letter, content: str) -> list[tuple[str, Any, Any]] | None:
    """What a grant says otherwise than the one on file that has its number, place by place."""
    if not visit.may("clinical.authorization.read"):
        return None
    try:
        stored = await authorizations.read(visit.caller, str(one.on_file))
        return differences(stored.source, json.loads(content))
    except (NotFound, ValueError):
        return None


def shown_of(one: Letter, content: str) -> tuple[list[tuple[str, bool]], bool]:
    """The lines of a message that are shown, those near the first error; and whether it is all."""
    if len(content) > LAID_OUT_MAX and one.format != "x12":
        cut = content[:LAID_OUT_MAX].splitlines()[:LINES_MAX]
        return [(line, False) for line in cut], False
    lines = list(marked(one, content))
    if len(content) <= LAID_OUT_MAX and len(lines) <= LINES_MAX:
        return lines, True
    first = next((place for place, (_, is_wrong) in enumerate(lines) if is_wrong), 0)
    start = max(0, first - BEFORE)
    longest = LAID_OUT_MAX // LINES_MAX
    return [(line[:longest], wrong) for line, wrong in lines[start : start + LINES_MAX]], False


def marked(one: Letter, content: str) -> Iterator[tuple[str, bool]]:
    """The lines of a message, or of X12 its segments; true for those that an error names."""
    if one.format == "x12":
        yield from _segments(one.errors, content)
        return
    try:
        read = json.loads(content, parse_float=Decimal, object_pairs_hook=_object)
        written = list(_written(read, "", "", ""))
        "".join(text for text, _ in written).encode()
    except (ValueError, RecursionError):  # shown as it was sent: a key twice, half a surrogate
        yield from ((line, False) for line in content.splitlines())
        return
    wrong = [str(each["path"]) for each in one.errors if each.get("path")]
    known = [path for _, path in written]
    near = ([each for each in known if _leads(each, path)] for path in wrong)
    places = {max(each, key=len) for each in near if each}
    yield from ((text, path in places) for text, path in written)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose every key is to be seen; raises ValueError where one stands twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key stands twice")
    return made


def _leads(place: str, path: str) -> bool:
    return path == place or path.startswith(f"{place}/")


def _written(value: Any, path: str, before: str, name: str) -> Iterator[tuple[str, str]]:
    """A value as lines of JSON, each with the pointer of what begins there."""
    if not isinstance(value, dict | list) or not value:
        is_fraction = isinstance(value, Decimal)
        text = str(value) if is_fraction else json.dumps(value, ensure_ascii=False)
        yield f"{before}{name}{text}", path
        return
    is_object = isinstance(value, dict)
    items: list[tuple[Any, Any]]
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    yield f"{before}{name}{'{' if is_object else '['}", path
    for place, (key, each) in enumerate(items):
        label = f"{json.dumps(key, ensure_ascii=False)}: " if is_object else ""
        escaped = str(key).replace("~", "~0").replace("/", "~1")
        lines = list(_written(each, f"{path}/{escaped}", f"{before}  ", label))
        last, at = lines[-1]
        lines[-1] = (last if place == len(items) - 1 else f"{last},", at)
        yield from lines
    yield f"{before}{'}' if is_object else ']'}", _END


def _segments(errors: Any, content: str) -> Iterator[tuple[str, bool]]:
    """Errors count the segments of their transaction set, from its ST; the id must agree."""
    end = content[105] if content.startswith("ISA") and len(content) > 105 else "~"
    segments = [each.strip() for each in content.split(end)]
    segments = [f"{each}{end}" for each in segments if each]
    start = next((n for n, each in enumerate(segments) if each.startswith("ST")), 0)
    wrong = {
        start + int(each["position"]) - 1: str(each["segment"])
        for each in errors
        if each.get("position") and each.get("segment")
    }
    for number, each in enumerate(segments):
        yield each, number in wrong and each.startswith(wrong[number])
