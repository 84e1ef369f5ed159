"""What options ask for, as uses take it, and the pages that they answer."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from service.cli.faults import BadInput
from service.domain.misfits import misfits

M = TypeVar("M", bound=BaseModel)
T_co = TypeVar("T_co", covariant=True)


class Page(Protocol[T_co]):
    """Some of what was asked for, and where to go on; None at the end."""

    @property
    def entries(self) -> Sequence[T_co]:
        """What is on it."""
        ...

    @property
    def next_(self) -> str | None:
        """After what the next page begins."""
        ...


def asked_as(model: type[M], given: Mapping[str, Any]) -> M:
    """What is asked for, as options give it; raises BadInput."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise BadInput(misfits(error)[0]) from error


async def all_pages(
    page_after: Callable[[str | None], Awaitable[Page[T_co]]], most: int | None = None
) -> list[T_co]:
    """The entries of all pages, one after the other, or so many of them."""
    found: list[T_co] = []
    after: str | None = None
    while most is None or len(found) < most:
        page = await page_after(after)
        found += page.entries
        after = page.next_
        if after is None:
            break
    return found[:most]
