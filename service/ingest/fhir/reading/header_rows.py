"""The rows that read the header."""

from service.ingest.fhir.base.mapping import Row
from service.ingest.fhir.reading import header, parties, services
from service.ingest.fhir.reading.header import Whole
from service.ingest.fhir.reading.identity import superseded_id
from service.ingest.fhir.reading.stays import admission_of

ROWS: tuple[Row[Whole], ...] = (
    Row(
        "authorization_id",
        ("identifier", "Claim.identifier", "preAuthRef"),
        "see Id and version",
        lambda whole: whole.identity.authorization_id,
    ),
    Row(
        "version",
        ("meta.lastUpdated", "created", "Bundle.timestamp"),
        "see Id and version",
        lambda whole: whole.identity.version,
    ),
    Row(
        "kind",
        ("Claim.item, addItem: extension(serviceItemRequestType)",),
        "SC is a referral, all else an authorization",
        header.kind,
    ),
    Row(
        "setting",
        ("type", "Claim.type"),
        "oral is dental; AR, and institutional with admission dates, is inpatient",
        lambda whole: whole.case.setting,
    ),
    Row(
        "number",
        ("adjudication.extension(reviewAction).number", "preAuthRef"),
        "else the number that all lines share, else extension(authorizationNumber)",
        header.number,
    ),
    Row(
        "previous_numbers",
        ("extension(authorizationNumber)", "Claim.insurance.preAuthRef"),
        "those of the Claim too; what is the number itself is left out",
        header.previous_numbers,
    ),
    Row(
        "supersedes",
        ("Claim.related.claim",),
        "the id made of the identifier of the Claim that was updated",
        lambda whole: superseded_id(whole.case, whole.identity.authorization_id),
    ),
    Row(
        "administrative_reference",
        ("response, items, Claim: extension(administrationReferenceNumber)",),
        "the first one; a pend is tracked by it, it is no number",
        header.administrative_reference,
    ),
    Row(
        "requester_reference",
        ("Claim.identifier", "request.identifier"),
        "the requester's own number",
        header.requester_reference,
    ),
    Row(
        "trace_numbers",
        ("identifier", "items: extension(itemTraceNumber)"),
        "each once, up to 20",
        header.traces,
    ),
    Row("member", ("patient", "insurance.coverage"), "see Member", lambda whole: whole.member),
    Row(
        "status",
        ("disposition", "outcome"),
        "text, shown only",
        header.status,
    ),
    Row(
        "decision",
        (
            "adjudication.extension(reviewAction)",
            "status",
            "disposition",
            "extension(claimResponseReviewer)",
        ),
        "see Decisions; `decided_at` is `created`",
        header.decision,
    ),
    Row("effective", ("preAuthPeriod",), "no end is an open end", header.effective),
    Row(
        "requested_dates",
        ("Claim.supportingInfo(patientEvent).timing[x]", "Claim.billablePeriod"),
        "stand in where no validity was sent",
        header.requested_dates,
    ),
    Row(
        "admission",
        (
            "Claim.supportingInfo(admissionDates, dischargeDates).timing[x]",
            "Claim.extension(encounter)",
        ),
        "first admission day, last discharge day; type, source and status of the Encounter",
        lambda whole: admission_of(whole.case),
    ),
    Row(
        "diagnoses",
        ("Claim.diagnosis",),
        "by sequence; principal is ABK, of ICD-9 BK",
        lambda whole: services.all_diagnoses(whole.case),
    ),
    Row(
        "drg",
        ("Claim.diagnosis.packageCode", "Claim.diagnosis.diagnosisCodeableConcept"),
        "the second where its system is one of DRG",
        lambda whole: services.drg(whole.case),
    ),
    Row("urgency", ("Claim.extension(levelOfServiceCode)",), "element 1338", header.urgency),
    Row(
        "certification_type",
        ("Claim.extension(certificationType)",),
        "element 1322",
        header.certification_type,
    ),
    Row(
        "requesting_provider",
        ("requestor", "Claim.provider"),
        "see Providers",
        lambda whole: parties.requesting(whole.case),
    ),
    Row(
        "servicing_provider",
        ("extension(itemAuthorizedProvider).provider", "Claim.careTeam of all items"),
        "see Providers",
        lambda whole: parties.of_header(whole.case).get("servicing_provider"),
    ),
    Row(
        "facility",
        ("extension(itemAuthorizedProvider).provider", "Claim.facility"),
        "see Providers",
        lambda whole: parties.of_header(whole.case).get("facility"),
    ),
    Row(
        "limits",
        ("total(eligible or benefit).amount",),
        "`amount`, where the header itself certifies",
        header.limits,
    ),
    Row(
        "messages",
        ("disposition", "processNote", "error"),
        "texts, with what they are as code",
        header.messages,
    ),
    Row("received_at", ("Claim.created",), "when the request was made", header.received_at),
    Row(
        "source",
        ("meta.source", "identifier", "meta.lastUpdated"),
        "`system`, `reference`, `event_time`",
        header.source,
    ),
    Row(
        "attached",
        ("meta.profile", "id"),
        "`pas_version`, `fhir_id`, `review_actions_unknown`",
        lambda whole: whole.case.attached,
    ),
)
