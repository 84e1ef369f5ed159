"""A segment of an X12 file, and the separators by which it is cut into elements."""

from typing import NamedTuple


class Delimiters(NamedTuple):
    """The four separators of an interchange; an empty one is not there."""

    element: str
    component: str
    repetition: str
    terminator: str


class Segment(NamedTuple):
    """One segment: its elements (the first is its id), and where it stands in the file.

    ``ordinal`` counts the segments of the file from 1, ``offset`` is that of its first byte.
    """

    elements: tuple[str, ...]
    ordinal: int
    offset: int
    delimiters: Delimiters

    @property
    def id(self) -> str:
        """The id of the segment, such as NM1."""
        return self.elements[0]

    def get(self, number: int) -> str:
        """An element, counted from 1; empty where it is not there.

        Only blanks are dropped around it: a separator may be a character that Python calls a space.
        """
        elements = self.elements
        return elements[number].strip(" ") if number < len(elements) else ""

    def texts(self, count: int) -> list[str]:
        """The first so many elements; empty ones where they are not there."""
        texts = [each.strip(" ") for each in self.elements[1 : count + 1]]
        if len(texts) < count:
            texts += [""] * (count - len(texts))
        return texts

    def parts(self, number: int) -> list[str]:
        """The components of an element."""
        return components(self.get(number), self.delimiters)

    def part(self, number: int, component: int) -> str:
        """One component of an element, counted from 1."""
        parts = self.parts(number)
        return parts[component - 1] if component <= len(parts) else ""

    def repeats(self, number: int) -> list[str]:
        """The repetitions of an element that are not empty."""
        text = self.get(number)
        separator = self.delimiters.repetition
        if not separator:
            return [text] if text else []
        return [each.strip(" ") for each in text.split(separator) if each.strip(" ")]


def components(text: str, delimiters: Delimiters) -> list[str]:
    """Cut a composite element into its components."""
    if not delimiters.component:
        return [text]
    parts = text.split(delimiters.component)
    return [each.strip(" ") for each in parts] if " " in text else parts
