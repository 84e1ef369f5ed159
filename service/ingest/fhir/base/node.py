"""A place in a FHIR document: its value and the way to it, so that every finding can name it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value and where it stands; what is not there is a node without a value.

    ``root`` names the resource that the document is. One object where a list belongs, and a list
    where one object belongs, are both read: senders mix them up. Nodes of one place are equal.
    """

    value: object = field(compare=False)
    path: Path = ()
    root: str = "Resource"

    def __bool__(self) -> bool:
        return self.value is not None

    def get(self, name: str) -> "Node":
        """The member of that name; the first, where it is a list."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        if isinstance(value, list):
            first = value[0] if value else None
            return Node(first, (*self.path, name, 0), self.root)
        return Node(value, (*self.path, name), self.root)

    def many(self, name: str) -> list["Node"]:
        """All members of that name."""
        value = self.value.get(name) if isinstance(self.value, dict) else None
        if value is None:
            return []
        if not isinstance(value, list):
            return [Node(value, (*self.path, name), self.root)]
        path = (*self.path, name)
        return [Node(each, (*path, at), self.root) for at, each in enumerate(value)]

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
                return Node(None, (*node.path, "extension"), self.root)
            node = found.choice("value") or found
        return node

    def choice(self, prefix: str) -> "Node":
        """The member of a choice of types: servicedDate or servicedPeriod of ``serviced``."""
        if isinstance(self.value, dict):
            for name in self.value:
                rest = name[len(prefix) :] if isinstance(name, str) else ""
                if rest[:1].isupper() and name.startswith(prefix):
                    return self.get(name)
        return Node(None, (*self.path, f"{prefix}[x]"), self.root)

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
