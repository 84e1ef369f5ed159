"""A place in a FHIR document: its value and the way to it, so that every finding can name it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from service.ingest.fhir.base.issue import Issue, Issues, Severity

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value and where it stands; what is not there is a node without a value.

    ``root`` names the resource that the document is, and ``issues`` are the findings of all of it.
    One object where a list belongs, and a list where one object belongs, are both read: senders mix
    them up. Nodes of one place are equal.
    """

    value: object = field(compare=False)
    path: Path = ()
    root: str = "Resource"
    issues: Issues = field(default_factory=Issues, compare=False, repr=False)

    def __bool__(self) -> bool:
        return self.value is not None

    def get(self, name: str) -> "Node":
        """The member of that name; the first, where it is a list."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        if isinstance(value, list):
            return self._step(value[0] if value else None, name, 0)
        return self._step(value, name)

    def many(self, name: str) -> list["Node"]:
        """All members of that name."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        if value is None:
            return []
        if not isinstance(value, list):
            return [self._step(value, name)]
        return [self._step(each, name, at) for at, each in enumerate(value)]

    def _step(self, value: object, *steps: str | int) -> "Node":
        return Node(value, (*self.path, *steps), self.root, self.issues)

    def at(self, *names: str) -> "Node":
        """Follow several names, one after another."""
        node = self
        for name in names:
            node = node.get(name)
        return node

    def has(self, *names: str) -> bool:
        """Whether it has a member of any of these names."""
        return isinstance(self.value, dict) and any(name in self.value for name in names)

    def extensions(self, name: str) -> Iterator["Node"]:
        """Its extensions of that short name, modifying ones included."""
        for kind in ("extension", "modifierExtension"):
            for each in self.many(kind):
                if short_name(each.get("url").value) == name:
                    yield each

    def extension(self, *names: str) -> "Node":
        """The value of an extension, and of the one inside it; no value where it is missing.

        A complex extension has no value of its own: then it is the extension itself.
        """
        node = self
        for name in names:
            found = next(node.extensions(name), None)
            if found is None:
                return node._step(None, "extension")
            node = found.choice("value") or found
        return node

    def choice(self, prefix: str) -> "Node":
        """The member of a choice of types: servicedDate or servicedPeriod of ``serviced``."""
        if isinstance(self.value, dict):
            for name in self.value:
                rest = name[len(prefix) :] if isinstance(name, str) else ""
                if rest[:1].isupper() and name.startswith(prefix):
                    return self.get(name)
        return self._step(None, f"{prefix}[x]")

    @property
    def resource_type(self) -> str:
        """The type of the resource that it is; empty when it is none."""
        value = self.get("resourceType").value
        return value if isinstance(value, str) else ""

    @property
    def pointer(self) -> str:
        """Where it stands, as a JSON pointer."""
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.path)
        return "".join(f"/{step}" for step in steps)

    @property
    def expression(self) -> str:
        """Where it stands, as FHIRPath writes it: ``Bundle.entry[0].resource.item[1]``."""
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return self.root + "".join(steps)

    def quiet(self) -> "Node":
        """The same place, of which nothing is noted."""
        return replace(self, issues=Issues())

    def error(self, code: str, message: str) -> None:
        """Note what keeps an authorization from being read."""
        self._note(code, "error", message)

    def warn(self, code: str, message: str) -> None:
        """Note what was left out or assumed."""
        self._note(code, "warning", message)

    def tell(self, code: str, message: str) -> None:
        """Note what is worth knowing."""
        self._note(code, "information", message)

    def _note(self, code: str, severity: Severity, message: str) -> None:
        self.issues.add(Issue(code, severity, self.pointer, self.expression, message))


NOTHING = Node(None)
"""What is nowhere in a document."""


def expression_of(pointer: str, root: str) -> str:
    """Write a JSON pointer into a document, whose resource is ``root``, as FHIRPath does."""
    steps = (step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
    return root + "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in steps)


def short_name(url: object) -> str:
    """The last part of an extension's address, however the sender wrote the address.

    Seen are the canonical one of PAS and of PDex, that of the page that describes it, one with a
    version behind a bar, and the bare name.
    """
    if not isinstance(url, str):
        return ""
    name = url.partition("|")[0].rstrip("/").rpartition("/")[2]
    name = name.removesuffix(".html").removeprefix("StructureDefinition-")
    return name.removeprefix("modifierextension-").removeprefix("extension-")
