"""The list of stories: a short kind name, the templates whose time it takes, how it is told."""

from collections.abc import Callable
from dataclasses import dataclass

from authmatch_local.samples.expected import Template
from authmatch_local.samples.scene import Scene

Telling = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Story:
    """One kind of claim with its authorizations (at most three), and how often it is told."""

    name: str
    tracks: tuple[Template, ...]
    tell: Telling
    weight: int = 1
    is_last: bool = False
    """Whether it ends the member's time, as a validity without an end does."""


class Stories:
    """Stories of one template, collected while their module is read."""

    def __init__(self, template: Template) -> None:
        self.template: Template = template
        self.all: list[Story] = []

    def story(
        self, name: str, *beside: Template, weight: int = 1, is_last: bool = False
    ) -> Callable[[Telling], Telling]:
        """Register a function as the telling of a story."""

        def keep(tell: Telling) -> Telling:
            tracks = (self.template, *beside)
            self.all.append(Story(name, tracks, tell, weight, is_last))
            return tell

        return keep
