"""Every page: for everybody, at every width, without a fault; and it shows what may be seen."""

from pathlib import Path
from typing import Literal

import pytest

from service.domain.work_item import line_item
from tests.workbench.browser import barriers, complaints, is_too_wide
from tests.workbench.conftest import Desk

LOOKS: dict[int, Literal["light", "dark"]] = {390: "light", 1024: "dark", 1920: "light"}
PAGES = {
    "home": ("", 200),
    "claim": ("/claims/C-2026-000123", 200),
    "authorization": ("/authorizations/UM-55012", 200),
    "member": ("/members/M0001", 200),
    "worklist": ("/worklist", 200),
    "resolution": (f"/worklist/{line_item('C-2026-000123', 2)}?everything=true", 200),
    "alerts": ("/alerts", 200),
    "entry": ("/entry", 200),
    "charge": ("/charges", 200),
    "requests": ("/requests", 200),
    "asking": ("/requests/new", 200),
    "billing": ("/claims", 200),
    "intake": ("/intake", 200),
    "letter": ("/intake/LETTER", 200),
    "compare": ("/claims/C-2026-000123/compare?one=ENTRY&other=ENTRY", 200),
    "nothing": ("/claims/nobody", 404),
}


@pytest.fixture(scope="module")
def names(desk: Desk) -> dict[str, str]:
    """Something that could not be taken in, and an adjudication."""
    with desk.caller() as all_:
        answer = all_.put("/authorizations/W-1", json={"authorization_id": "W-1", "lines": [{}]})
        history = all_.get("/claims/C-2026-000123/history").json()
    return {"LETTER": answer.json()["dead_letter"], "ENTRY": history["entries"][0]["entry"]}


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_for_everybody(
    desk: Desk, pictures: Path, names: dict[str, str], name: str
) -> None:
    """No barrier (WCAG 2.2 AA), nothing in the console, nothing sideways; narrow, wide, dark."""
    path, status = PAGES[name]
    for each, id_ in names.items():
        path = path.replace(each, id_)
    page = desk.page
    said = complaints(page)
    answer = page.goto(f"{desk.url}/workbench{path}")
    assert answer is not None
    assert answer.status == status
    wrong = {}
    for width, colors in LOOKS.items():
        page.emulate_media(color_scheme=colors)
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=pictures / f"{name}-{width}-{colors}.png", full_page=True)
        wrong[width] = [*barriers(page), *["too wide"] * is_too_wide(page)]

    assert {look: found for look, found in wrong.items() if found} == {}
    assert said == []
