"""A second opinion on the shape of what came: the models of R4B say what a strict reader would.

It reports and never keeps anything out: real senders leave out what FHIR demands, and what they say
can be read all the same. The models are those of R4B, which for these resources are those of R4.
They are imported when first asked for, since that takes a third of a second and 46 MB.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from service.ingest.fhir.base.documents import Documents
from service.ingest.fhir.base.issue import Issue, Issues
from service.ingest.fhir.base.node import Node

BYTES_MAX = 2 * 1024 * 1024
ISSUES_MAX = 50

_PACKS: Mapping[str, str] = {"Bundle": "entry", "Parameters": "parameter"}
_REASONS = {
    "missing": "R4 demands this element",
    "model_field_validation.missing": "R4 demands this element",
    "extra_forbidden": "R4 has no such element here",
    "list_type": "in R4 this is a list",
}
_OTHERWISE = "not of the form that R4 demands"


def check_shape(content: object, bytes_count: int) -> tuple[Issue, ...]:
    """Give a warning for each place that a strict reader of R4 would refuse; it raises for none.

    Of a document that is too long nothing is checked, and of the findings the first ones are given;
    both are said.
    """
    issues = Issues()
    documents = Documents(content, Issues())
    if not documents.resources:
        return ()
    root = documents.resources[0]
    if bytes_count > BYTES_MAX:
        message = f"the form was not checked: longer than {BYTES_MAX} bytes"
        issues.tell(root, "r4b-unchecked", message)
        return issues.all
    for resource in documents.resources:
        for path, reason in _findings(resource):
            if len(issues.all) >= ISSUES_MAX:
                issues.tell(root, "r4b-unchecked", "more was found wrong with the form")
                return issues.all
            node = Node(None, (*resource.path, *path), resource.root)
            issues.warn(node, "r4b-shape", reason)
    return issues.all


def _findings(resource: Node) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Check one resource; those that a bundle or Parameters hold are checked for themselves."""
    from fhir.resources.R4B import get_fhir_model_class

    try:
        model = get_fhir_model_class(resource.resource_type)
        model.model_validate(_without_held(resource))
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            yield each["loc"], _REASONS.get(each["type"], _OTHERWISE)
    except Exception:  # noqa: BLE001 - whatever the models stumble over keeps nothing out
        yield (), "could not be checked against R4: an unknown type of resource, or nested too deep"


def _without_held(resource: Node) -> Any:
    name = _PACKS.get(resource.resource_type)
    if name is None or not isinstance(resource.value, dict):
        return resource.value
    return resource.value | {name: _emptied(resource.value.get(name))}


def _emptied(entries: object) -> object:
    """Give entries without their resources; the parts of parameters are entries, too."""
    if not isinstance(entries, list):
        return entries
    return [
        {
            key: _emptied(value) if key == "part" else value
            for key, value in each.items()
            if key != "resource"
        }
        if isinstance(each, dict)
        else each
        for each in entries
    ]
