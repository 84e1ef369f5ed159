"""The golden set: which authorization is right for claim lines, said by people."""

from collections.abc import Iterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from service.api.body import JSON, NDJSON, JsonBody, json_response
from service.api.caller import Asking, needs
from service.api.claims import After
from service.api.schema import problems, takes
from service.application import golden
from service.application.golden import DecisionsAsked, LabelsSent
from service.domain.values import Text

router = APIRouter(
    prefix="/golden", tags=["tuning"], responses=problems(status_404="There is no such study.")
)

PAGE_MAX = 50
LINES_PAGE_MAX = 200

Study = Annotated[str, Query(pattern=r"^[0-9a-f]{16}$", description="The id of a study.")]
Size = Annotated[int, Query(ge=1, le=PAGE_MAX)]


@router.post(
    "/labels",
    status_code=201,
    openapi_extra=takes(JSON, model="LabelsSent"),
    summary="Label lines of a study",
)
@needs("rules.edit", "clinical.authorization.read", "billing.charge.read")
async def label(
    caller: Asking, sent: Annotated[LabelsSent, Depends(JsonBody(LabelsSent))]
) -> Response:
    """Say which authorization is right for lines, null where none is; all or none is taken.

    Only the answer says how the engine decided these lines, and what others say of them.
    """
    return json_response(await golden.label(caller, sent), status=201)


@router.get("/labels", summary="Export the golden set")
@needs("rules.read", "clinical.authorization.read")
async def export(caller: Asking) -> Response:
    """Every label that was ever given, one a line, with who and when."""
    labels = await golden.export(caller)

    def written() -> Iterator[bytes]:
        for each in labels:
            yield orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE)

    return StreamingResponse(written(), media_type=NDJSON)


@router.get("/lines", summary="Labelled lines")
@needs("rules.read", "clinical.authorization.read")
async def lines(
    caller: Asking,
    size: Annotated[int, Query(ge=1, le=LINES_PAGE_MAX)] = 50,
    after: After = None,
    conflicts: Annotated[bool, Query(description="Only those of which people differ.")] = False,
) -> Response:
    """A page of what stands of each line: the newest label of each person, whether two differ.

    The counts, and the hash of what is right, are of all lines.
    """
    found = await golden.listing(caller, conflicts=conflicts, size=size, after=after)
    return json_response(found)


@router.get("/next", summary="Lines to label")
@needs("rules.edit", "clinical.authorization.read", "billing.charge.read")
async def next_to_label(
    caller: Asking,
    study: Study,
    size: Size = 1,
    second: Annotated[bool, Query(description="Lines that one other has labelled.")] = False,
    by: Annotated[Text | None, Query(description="For whom; needs act-for.")] = None,
) -> Response:
    """Lines of a study that the caller has not labelled, with all that could cover them.

    They come in an order that chance draws, and without anything that the engine says of them.
    """
    found = await golden.next_to_label(caller, study, size=size, second=second, by=by)
    return json_response(found)


@router.post(
    "/decisions",
    openapi_extra=takes(JSON, model="DecisionsAsked"),
    summary="Take examiners' decisions over as labels",
)
@needs("rules.edit", "clinical.authorization.read", "billing.charge.read")
async def take_decisions(
    caller: Asking, asked: Annotated[DecisionsAsked, Depends(JsonBody(DecisionsAsked))]
) -> Response:
    """What examiners selected on claims of these days; what was taken over before is known."""
    return json_response(await golden.take_decisions(caller, asked))
