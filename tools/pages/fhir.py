"""The page ``docs/formats/fhir-pas.md``, written from the rows that read a response."""

from collections.abc import Iterable, Mapping
from typing import Any

from service.ingest.fhir.base import terms
from service.ingest.fhir.base.issue import CODES
from service.ingest.fhir.base.mapping import Row
from service.ingest.fhir.reading import header, lines

_HEAD = """\
# FHIR: prior authorizations of the Da Vinci PAS guide

Written by `tools/pages/fhir.py` from the rows that do the reading: change those, not this
page. An authorization may come as a FHIR R4 (4.0.1) `ClaimResponse` with `use` preauthorization,
of any version of the guide from 1.0 to 2.2. The fields are those of the [data
model](../data-model.md).

## What is read

A ClaimResponse alone, or a Bundle of any type (collection, message, searchset, history) with one
or more of them, bundles within bundles, and Parameters: so a response, the answer to an inquiry,
and a notification of a subscription; of one that brings ids alone (`notified`) the result has the
`reference` that is to be fetched from its sender. The request (`Claim`), `Patient`, `Coverage`,
`Practitioner`, `PractitionerRole`, `Organization`, `Location`, `Encounter`, `Condition` and
`ServiceRequest` are read where a reference leads to them.

References are looked for as contained (`#id`), by `fullUrl`, by `Type/id` (also where the
`fullUrl` is absolute or a uuid, and without `_history`), from the innermost bundle outwards. One
that leads nowhere is a finding with its place; what it would have said is left out. Without
`request`, the only Claim beside the only ClaimResponse is its request.

A Claim with `use` preauthorization is a request: told apart, never an authorization. What has
`use` claim or predetermination is refused here, and so is content of R5 and STU3, which means
other things by the same names. A fault of one response keeps none of the others out.

XML is not read. JSON that two readers could read differently is refused as a whole: a name that
stands twice in one object, the character NUL, half a surrogate pair, a number that is no finite
one; so is what is nested deeper than about a thousand levels.

What was read is also held against the models of R4B (`fhir.resources`), which for these resources
are those of R4. What a strict reader would refuse is a warning (`r4b-shape`) with its place and
keeps nothing out: real senders leave out what FHIR demands. Documents over 2 MB are not checked so,
and at most 50 of these warnings are given (`r4b-unchecked` says both).

## Id and version

- `authorization_id`: `KIND.NUMBER.HASH`, of kind, person and certification number: that of the
  review of the response, `preAuthRef`, else the first of its lines. It is that of the same grant in
  an [X12 278](x12-278.md#id-and-version); no identifier of the response and no system of one has a
  part in it. Without a number `KIND.trace.HASH`: of `Claim.identifier`, else
  `request.identifier`, and who asked (NPI, else tax number of `requestor`, else of
  `Claim.provider`); else `KIND.reference.HASH` of `administrationReferenceNumber`; else, as a last
  resort, `KIND.response.HASH` of `identifier` or `KIND.address.HASH` of `id`. An update
  (`Claim.related`, or a certification type R, S, 4, 1, 2, N, 3) that is not granted is
  `KIND.change.HASH` of the same names: it does not replace what stands. An identifier of the system
  `urn:authmatch:authorization` is taken as it is.
- The person is `member.id`; of a dependent (`Coverage.relationship` other than `self`) who is
  called by `Coverage.subscriberId`, with birth date and gender.
- `aliases`: the ids of all these other names. What was pended under one of them, or is cancelled or
  decided anew under it, is a version of this authorization, in whatever order they come.
- `supersedes`: of an update that is granted, the number that it had before
  (`Claim.insurance.preAuthRef`, `extension(authorizationNumber)`), else the request in
  `Claim.related`.
- `version`: milliseconds since 1970 of `meta.lastUpdated`, else `created`, else
  `Bundle.timestamp`, times 1000; plus 250 pended, 500 decided, 750 cancelled; plus a numeric
  `meta.versionId` up to 249. A day alone, or a midnight, is made exact by the others of these
  times; of a day whose message was sent later, the order of sending counts within its last minute.
  Later is higher, and under 2^53 until 2255. Without a time: the numeric `meta.versionId`, else 1.
  Of one that carries its id in our system, so that it was given out here, the `meta.versionId` is
  the version.

A time in the future is not refused here.

## Decisions

`outcome` says how far the processing is and is never asked: it is `complete` on denials and on
pended requests alike. What counts is the action code of the review (X12 element 306): A1, A2, A3,
A4, A6, CT, NA, C. It is read from `adjudication`, and from the item itself in guide 1.0; where
there is none, from the review's own value, or from a `reasonCode` whose system is that of actions
(`.../306`), which is told.

- Another code (a literal `PENDEDCODE`) leaves the decision unknown; the code is kept in
  `attached.review_actions_unknown`. Such a line inherits nothing from the header.
- Only where there is no review action anywhere, the whole text of `disposition` decides, with a
  warning: DISPOSITIONS.
- `status` cancelled or entered-in-error is C. A draft is refused.
- A line that is marked by `infoCancelled`, or whose certification type is 3, is C when the answer
  is A1, C or missing. When all lines are C, so is the header.
- `error` without any decision is a refusal to look, no denial: nothing is stored, and nothing is
  wrong with the message.
- What was granted needs a day: `effective`, `requested_dates` or `admission.date`.

## Lines

A line has the number of `itemSequence`. An `addItem` stands for the item whose number it names,
so that of a modified item (A6) the granted values are those of the added one; the line is A6
then. Where the item was denied or cancelled and the added one is another service, both are lines.
An added item of a new number is a line of that number, one of a number that is taken gets the
next free one. Without any answered item, and under a decision of the header, the items of the
request are lines.

## Quantities

Only a line that was certified has `limits`: of the added item, else of `itemAuthorizedDetail`,
else what was asked for. A2 or A6 without a quantity is bounded by what was asked for, with a
warning. Beside an added item, `itemAuthorizedDetail` repeats the request from guide 2.2 on and
says what was granted before; a version that is not known is read as a new one. The order of the
request or of the answer (`requestedService`, `authorizedService`) gives `per` from
`occurrenceTiming.repeat`.

The unit is a code of X12 (DY, FL, HS, MN, VS, UN ...) as sent; of UCUM: UNITS. A quantity without
a unit counts UN.

## Codes

Of several codes of a service, one of CPT, HCPCS, CDT, ICD-10-PCS or NDC is taken first. CPT,
HCPCS and CDT are told apart by shape, since senders name the wrong system. A service type (1365),
a revenue code or a DRG that stands as the service goes into its own field; `not-applicable` is no
service. A tooth of ISO 3950 (system `ex-tooth`) becomes one of the Universal numbering; one of
another system is left out.

## Member

`member.id` is the identifier of type MB of the Patient; else `identifier` of the reference, else
`Coverage.subscriberId`, else the identifier of type MB of the Coverage; else the only identifier
of the Patient without a type, with a warning. The id of a resource is never a member id: without
one of these the response is refused. `subscriber_id` is `Coverage.subscriberId`, `suffix`
`Coverage.dependent`.

## Providers

NPI (ten digits), tax number and NUCC taxonomy of the resource, of the person and organization of
a `PractitionerRole`, and of the identifier of the reference. The roles FA and 77 are the
`facility`, and on an institutional claim every organization is; all others are the
`servicing_provider`. Of the care team of a request those who refer or order (DN, DK, P3) give no
service. All are kept: beyond the first in `other_servicing_providers` and `other_facilities`. What
refers to an Organization, or to a role of one without a person, is an `organization`.
"""

_TAIL = """\
## Findings

Each has a JSON pointer, a FHIRPath expression, a severity and a text without values of the
document. `operation_outcome` writes them as an OperationOutcome.

"""

LEFT: Mapping[str, str] = {
    "ClaimResponse": "insurer payeeType payment fundsReserve formCode form communicationRequest",
    "ClaimResponse.item": "noteNumber",
    "ClaimResponse.item.adjudication": "reason value",
    "ClaimResponse.addItem": ("detailSequence subdetailSequence programCode factor noteNumber"),
    "ClaimResponse.processNote": "type",
    "ClaimResponse.error": "itemSequence detailSequence subDetailSequence",
    "Claim": (
        "status subType enterer insurer fundsReserve prescription originalPrescription "
        "payee referral procedure accident total"
    ),
    "Claim.item": "procedureSequence informationSequence programCode factor udi detail",
    "Claim.careTeam": "responsible",
    "Claim.diagnosis": "onAdmission",
    "Claim.supportingInfo": (
        "sequence code valueBoolean valueString valueQuantity valueAttachment valueReference reason"
    ),
    "Claim.insurance": "sequence identifier businessArrangement claimResponse",
    "Claim.related": "relationship reference",
    "Coverage": (
        "status type policyHolder subscriber beneficiary period payor class order network "
        "costToBeneficiary subrogation contract"
    ),
    "Patient": (
        "active name telecom deceasedBoolean deceasedDateTime address maritalStatus "
        "multipleBirthBoolean multipleBirthInteger photo contact communication "
        "generalPractitioner managingOrganization link"
    ),
}
"""What R4 has in these places, and nothing asks for: it is not kept."""

LEFT_EXTENSIONS = (
    "conditionCode diagnosisRecordedDate epsdtIndicator errorElement errorFollowupAction errorPath "
    "homeHealthCareInformation identifierJurisdiction identifierSubDepartment infoChanged "
    "militaryStatus nursingHomeResidentialStatus paLineNumber revenueUnitRateLimit"
)
"""Extensions of the guide that nothing asks for."""

_NOT_KEPT = """\

## What is not kept

What R4 has in these places and no row asks for makes no difference to what is stored. A test
compares this list with all elements of R4. What is decided of the details of an item is told
(`detail-left-out`): the item counts as a whole.

| of | not kept |
| --- | --- |
"""

_BACK = """\

## The way back

`to_claim_response` writes an authorization as a ClaimResponse with contained Patient and
providers: a modified line as `item` with what was asked for and `addItem` with what was granted,
all others as `item` with `itemAuthorizedDetail`. Units used stand as PDex shows them: of each
item as adjudication `consumedunits` beside `allowedunits`, of the whole in `total` (`utilized`)
with the extension `PriorAuthorizationUtilization`. A limit for all lines together stands in `total`
(`eligible`), its units in the same extension. PAS and PDex declare neither for a ClaimResponse: a
strict validator will say so. How it [stands](../lifecycle.md#how-an-authorization-stands) today
is an extension of our own, `urn:authmatch:status`. `searchset` writes a page of them.

What FHIR says in the request only stands in a contained Claim, to which `request` leads: diagnoses,
the stay, urgency, places of service, teeth, what was asked for, and (`related`) what it supersedes.
Items have the place, level of care, service type and day of issue of the header where they have
none of their own.

`identifier` is the id (system `urn:authmatch:authorization`) and the trace numbers;
`meta.versionId` is the version, `meta.lastUpdated` when it was stored here, `created` when it was
made: the time of its event, else of its decision, else of its receipt, else the day of its
certification. One that was withdrawn, cancelled or superseded has `status` cancelled, and a
superseded one a `processNote` that names the next. `id` is the id of the authorization where FHIR
allows it, else its SHA-256.

A ClaimResponse has no place for notes, histories, baskets, pend reasons and attached data: these
are not given out. So what was given out and is sent back says less than what was pushed. Where it
is unchanged, it is known again and not pushed; under a higher `versionId` it replaces all that was
there.
"""


def page() -> str:
    """Write the whole page."""
    spoken = ", ".join(f"{words} ({action})" for words, action in terms.DISPOSITIONS.items())
    units = ", ".join(f"`{ucum}` {code}" for ucum, code in terms.UNITS.items())
    head = _HEAD.replace("DISPOSITIONS", spoken).replace("UNITS", units)
    return "".join(
        [
            head,
            "\n## Fields of the header\n\nPaths are of ClaimResponse where they name no other.\n\n",
            _table(header.ROWS),
            "\n## Fields of a line\n\n",
            _table(lines.ROWS),
            "\n",
            _TAIL,
            "| code | issue type of FHIR |\n| --- | --- |\n",
            *(f"| `{code}` | {type_} |\n" for code, type_ in sorted(CODES.items())),
            _NOT_KEPT,
            *(
                f"| `{place}` | {', '.join(f'`{each}`' for each in names.split())} |\n"
                for place, names in {**LEFT, "extensions of PAS": LEFT_EXTENSIONS}.items()
            ),
            _BACK,
        ]
    )


def _table(rows: Iterable[Row[Any]]) -> str:
    written = (
        f"| {'<br>'.join(f'`{path}`' for path in row.paths)} | `{row.field}` | {row.rule} |\n"
        for row in rows
    )
    return "| path | field | rule |\n| --- | --- | --- |\n" + "".join(written)
