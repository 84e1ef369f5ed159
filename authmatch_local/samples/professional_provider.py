"""Stories of professional claims: who gave the service. Of 90 points 20 are the provider's."""

from authmatch_local.samples.families import FACILITY_ONLY
from authmatch_local.samples.outpatient_case import authorize as authorize_facility
from authmatch_local.samples.professional_case import visit
from authmatch_local.samples.scene import Scene
from authmatch_local.samples.story import Stories

STORIES = Stories("professional")
_story = STORIES.story


@_story("prof-tin-only", weight=3)
def tin_only(scene: Scene) -> None:
    """Another clinician of the same practice (TIN): 14 of 20."""
    case = visit(scene)
    case.claim["rendering_provider"] = {"npi": case.organization.clinicians[1]}
    case.non_exact(84, 90)


@_story("prof-billing-npi")
def billing_npi(scene: Scene) -> None:
    """Authorized for the practice by its own NPI, given by a clinician of it: 16 of 20."""
    case = visit(scene)
    case.authorization["servicing_provider"]["npi"] = case.organization.billing
    case.non_exact(86, 90)


@_story("prof-no-rendering")
def no_rendering_provider(scene: Scene) -> None:
    """No rendering provider on the claim: then it is the billing one, 90 of 90."""
    case = visit(scene)
    case.authorization["servicing_provider"]["npi"] = case.organization.billing
    case.claim.pop("rendering_provider")
    case.exact(90, 90)


@_story("prof-line-rendering")
def rendering_provider_of_the_line(scene: Scene) -> None:
    """The line names its own clinician, who wins over the claim's: 90 of 90."""
    case = visit(scene)
    case.line["rendering_provider"] = {"npi": case.organization.clinicians[0]}
    case.claim["rendering_provider"] = {"npi": case.organization.clinicians[2]}
    case.exact(90, 90)


@_story("prof-group-scope")
def provider_group(scene: Scene) -> None:
    """Authorized for a provider group of the network, given by a member of it: 10 of 20."""
    case = visit(scene)
    stranger = scene.stranger()
    taxonomy = case.authorization["servicing_provider"]["taxonomy"]
    case.authorization["servicing_provider"] = {
        "taxonomy": taxonomy,
        "group_scope": "in",
        "provider_group": case.organization.group,
    }
    groups = [case.organization.group]
    case.claim["rendering_provider"] = {"npi": stranger.clinicians[0], "groups": groups}
    case.claim["billing_provider"] = {
        "npi": stranger.billing,
        "tin": stranger.tin,
        "groups": groups,
    }
    case.non_exact(80, 90)


@_story("prof-taxonomy-only")
def taxonomy_only(scene: Scene) -> None:
    """Another practice of the same discipline: 8 of 20."""
    case = visit(scene)
    stranger = scene.stranger()
    case.claim["rendering_provider"]["npi"] = stranger.clinicians[0]
    case.claim["billing_provider"] |= {"npi": stranger.billing, "tin": stranger.tin}
    case.non_exact(78, 90)


@_story("prof-other-provider")
def other_provider(scene: Scene) -> None:
    """Another practice of unknown discipline: 0 of 20."""
    case = visit(scene)
    stranger = scene.stranger()
    case.claim["rendering_provider"] = {"npi": stranger.clinicians[0]}
    case.claim["billing_provider"] = {"npi": stranger.billing, "tin": stranger.tin}
    case.non_exact(70, 90)


@_story("prof-facility-authorization", "outpatient")
def authorized_for_the_facility(scene: Scene) -> None:
    """Given in the hospital under the facility's authorization: part of it, and never for sure."""
    case = visit(scene, FACILITY_ONLY)
    scene.authorizations.pop()
    authorize_facility(scene, FACILITY_ONLY, case.organization)
    case.authorization = scene.authorizations[-1]
    case.non_exact(90, 90)


@_story("prof-notification")
def notification_only(scene: Scene) -> None:
    """A notification satisfies a rule for notifications only: nothing."""
    case = visit(scene)
    case.authorization["kind"] = "notification"
    case.nothing()
