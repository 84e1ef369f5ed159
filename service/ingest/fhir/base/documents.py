"""All resources of a FHIR document, however they are packed, and what a reference leads to.

Bundles may hold bundles (inquiry results, notifications), Parameters hold both, and any resource
holds others (contained). Nothing here calls itself: a document that is deep is refused, not feared.
"""

from collections import defaultdict

from service.ingest.fhir.base.node import NOTHING, Node, Path
from service.ingest.fhir.base.primitives import plain

RESOURCES_MAX = 20_000
_STEPS_MAX = 64


class Documents:
    """The resources of one document; what a reference names is looked for from the inside out."""

    def __init__(self, content: object) -> None:
        self._contained: dict[Path, dict[str, Node]] = {}
        self._packs: dict[Path, dict[str, Node]] = {}
        self._inside: dict[tuple[Path, str], list[Node]] = defaultdict(list)
        self._pack_of: dict[Path, Node] = {}
        self.resources: list[Node] = []
        root = Node(content, (), Node(content).resource_type or "Resource")
        self.issues = root.issues
        self._walk(root)

    def _walk(self, root: Node) -> None:
        if not root.resource_type:
            root.error("not-a-resource", "a JSON object with its resourceType")
            return
        todo = [(root, root)]
        while todo:
            resource, pack = todo.pop()
            if len(self.resources) >= RESOURCES_MAX:
                message = f"more than {RESOURCES_MAX} resources: the rest is left out"
                root.error("too-many", message)
                return
            if len(resource.path) > _STEPS_MAX:
                resource.error("too-deep", "packed too deep: left out")
                continue
            self._keep(resource, pack)
            todo += [(each, resource) for each in reversed(self._held(resource))]

    def _keep(self, resource: Node, pack: Node) -> None:
        self.resources.append(resource)
        self._inside[pack.path, resource.resource_type].append(resource)
        self._pack_of[resource.path] = pack
        self._contained[resource.path] = {
            plain(each.get("id").value): each
            for each in reversed(resource.many("contained"))
            if plain(each.get("id").value)
        }

    def _held(self, resource: Node) -> list[Node]:
        """The resources that a bundle or Parameters hold; their names are indexed."""
        if resource.resource_type == "Bundle":
            entries = resource.many("entry")
        elif resource.resource_type == "Parameters":
            entries = resource.many("parameter")
            entries += [part for each in entries for part in each.many("part")]
        else:
            return []
        index: dict[str, Node] = {}
        held = []
        for entry in entries:
            inner = entry.get("resource")
            if not inner.resource_type:
                continue
            held.append(inner)
            for name in _names(plain(entry.get("fullUrl").value), inner):
                index.setdefault(name, inner)
        self._packs[resource.path] = index
        return held

    def of_type(self, name: str) -> list[Node]:
        """All resources of a type, contained ones not among them."""
        return [each for each in self.resources if each.resource_type == name]

    def beside(self, resource: Node, name: str) -> list[Node]:
        """The resources of a type that stand in the same pack."""
        return self._inside.get((self.pack(resource).path, name), [])

    def pack(self, resource: Node) -> Node:
        """The bundle in which a resource stands; the resource where it stands alone."""
        return self._pack_of.get(resource.path, resource)

    def holds(self, reference: Node) -> bool:
        """Whether what a Reference names is in the document."""
        return bool(self._found(plain(reference.get("reference").value), reference.path))

    def resolve(self, reference: Node) -> Node:
        """What a Reference names; no value, and a finding, when it is not in the document.

        A reference by identifier alone, or with a display alone, names nothing that could be here.
        """
        target = reference.get("reference")
        written = plain(target.value if reference.has("reference") else reference.value)
        if not written:
            return NOTHING
        found = self._found(written, reference.path)
        if not found:
            message = "what is referred to is not in the document"
            (target or reference).warn("reference-unresolved", message)
        return found

    def _found(self, written: str, path: Path) -> Node:
        for steps in range(len(path), -1, -1):
            if written.startswith("#"):
                names, index = [written[1:]], self._contained.get(path[:steps], {})
            else:
                names, index = _targets(written), self._packs.get(path[:steps], {})
            for name in names:
                if name in index:
                    return index[name]
        return NOTHING


def _names(full_url: str, resource: Node) -> list[str]:
    """All by which an entry may be called: its address, and type and id."""
    names = [full_url, _tail(full_url)] if full_url else []
    own = plain(resource.get("id").value)
    if own:
        names.append(f"{resource.resource_type}/{own}")
        names.append(f"urn:uuid:{own}")
    return [each for each in names if each]


def _targets(written: str) -> list[str]:
    """The names under which a reference is looked for, the exact one first."""
    current = written.partition("/_history/")[0]
    return [written, current, *filter(None, [_tail(current)])]


def _tail(address: str) -> str:
    """Give ``Type/id`` of an address; empty when it does not end so."""
    parts = address.rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 and parts[-2][:1].isupper() else ""
