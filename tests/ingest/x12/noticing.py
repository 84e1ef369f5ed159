"""Which elements of a message make a difference to what is read of it, found by changing each."""

from collections.abc import Iterable, Iterator

from service.ingest.x12.wire.loops import Loop, Walker
from service.ingest.x12.wire.problem import Findings
from service.ingest.x12.wire.results import Part
from service.ingest.x12.wire.segment import Delimiters, Segment
from service.ingest.x12.wire.structure import Structure
from tests.ingest.x12.edi import as_json, items

Place = tuple[str, str]
"""A loop, and an element of it as the guides write it: SV101, or SV101-2 of a composite one."""

_MARKS = Delimiters("*", ":", "^", "~")


def placed(text: str, structure: Structure) -> list[tuple[str, list[str]]]:
    """The segments of the one set of a message, without ST and SE, each with its loop."""
    body = text.partition("~ST*")[2].partition("~SE*")[0].split("~")[1:]
    walker = Walker(structure, Findings())
    loops: dict[int, Loop] = {}
    seen: list[Loop] = [walker.header]
    for number, each in enumerate(body, start=1):
        seen += walker.take(Segment(tuple(each.split("*")), number, 0, _MARKS))
        seen += walker._levels
    seen += walker.end()
    for one in (inner for each in seen for inner in each.whole()):
        loops |= dict.fromkeys((each.ordinal for each in one.segments), one)
    return [(loops[number].name, each.split("*")) for number, each in enumerate(body, start=1)]


def unnoticed(texts: Iterable[str], structure: Structure) -> set[Place]:
    """The elements of messages that may be changed or left out, in every place of all of them."""
    noticed: dict[Place, bool] = {}
    for text in texts:
        told = _told(text)
        for loop, segment, element, component, changed in _changes(text, structure):
            suffix = f"-{component}" if component else ""
            place = (loop, f"{segment}{element:02}{suffix}")
            if not noticed.get(place):
                noticed[place] = _told(changed) != told
    return {place for place, is_noticed in noticed.items() if not is_noticed}


def _told(text: str) -> list[object]:
    """All that is read of a message, and what is said of it but for the bytes where it stands."""
    told: list[object] = []
    for each in items(text):
        if isinstance(each, Part):
            problems = [
                (one.code, one.position, one.loop, one.element, one.component, one.detail)
                for one in each.problems
            ]
            more = [getattr(each, name, None) for name in ("payer_name", "responsibility", "use")]
            told.append(({**as_json(each), "problems": problems}, more))
    return told


def _changes(text: str, structure: Structure) -> Iterator[tuple[str, str, int, int, str]]:
    segments = placed(text, structure)
    head, _, rest = text.partition("~ST*")
    start, end = rest.partition("~")[0], rest[rest.index("~SE*") :]
    for number, (loop, elements) in enumerate(segments):
        for at, element in enumerate(elements[1:], start=1):
            parts = element.split(":")
            for place, part in enumerate(parts, start=1):
                for change in (_next, _left_out):
                    if not part:
                        continue
                    new = ":".join([*parts[: place - 1], change(part), *parts[place:]])
                    written = [*elements[:at], new, *elements[at + 1 :]]
                    body = [each for _, each in segments]
                    body[number] = written
                    told = "~".join("*".join(each) for each in body)
                    component = place if len(parts) > 1 else 0
                    yield loop, elements[0], at, component, f"{head}~ST*{start}~{told}{end}"


def _next(text: str) -> str:
    """Another value of the same shape: the last letter or digit is the next one."""
    for place in range(len(text) - 1, -1, -1):
        one = text[place]
        if one.isdigit():
            return f"{text[:place]}{(int(one) + 1) % 10}{text[place + 1 :]}"
        if one.isalpha():
            return f"{text[:place]}{'B' if one.upper() == 'A' else 'A'}{text[place + 1 :]}"
    return text


def _left_out(_: str) -> str:
    return ""
