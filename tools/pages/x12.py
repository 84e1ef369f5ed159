"""Writes the pages ``docs/formats/x12-278.md`` and ``x12-837.md`` from the rows that read them."""

from collections.abc import Iterable, Mapping

from service.ingest.x12.claim import claims
from service.ingest.x12.claim.rows import CLAIM, LINE
from service.ingest.x12.claim.rows import LEFT as CLAIM_LEFT
from service.ingest.x12.fields.mapping import Left, Rows, Told
from service.ingest.x12.fields.people import FACILITY, REFERRING, SERVICING
from service.ingest.x12.review import identity as review_identity
from service.ingest.x12.review.rows import EVENT, SERVICE
from service.ingest.x12.review.rows import LEFT as REVIEW_LEFT
from service.ingest.x12.wire.problem import RULES

_MADE = "<!-- Written by tools/pages/x12.py: change the rows there, not this page. -->"
_REVIEW = {"2000E": EVENT, "2000F": SERVICE}


def review_page() -> str:
    """Write the page of the 278."""
    service = [row for row in SERVICE.rows if row not in EVENT.rows]
    parts = [
        "# X12 278: answers to requests for review",
        _MADE,
        _REVIEW_INTRODUCTION,
        "## Event and service",
        "Rows of both loops stand first; what a service says itself wins over its event.",
        _table(EVENT.rows, _REVIEW),
        "## Service alone",
        _table(service, _REVIEW),
        "## Providers and member",
        _plain_table(("loop", "element", "field", "rule"), _REVIEW_PARTIES),
        "## Id and version",
        review_identity.__doc__.split("\n\n", 1)[1].strip() if review_identity.__doc__ else "",
        "## What grants nothing",
        _NEVER_WIDER,
        "## Inquiries and their answers",
        _INQUIRIES,
        _plain_table(("of the authorization", "written as", "rule"), _ANSWERED),
        "## What is not kept",
        _NOT_KEPT,
        _left(REVIEW_LEFT),
        "## What is kept of it",
        _EXCERPTS,
        "## Problems",
        "Each has the segment's number and byte in the file, its loop and its element, and never a "
        "word of the message. A warning leaves the reading as it is; an error left something out. "
        "The last columns are the codes of the 999 (IK304, IK403, IK502, AK905) and the TA1.",
        _plain_table(
            ("code", "severity", "meaning", "IK3", "IK4", "IK5", "AK9", "TA1"), _problems()
        ),
    ]
    return "\n\n".join(parts) + "\n"


def claim_page() -> str:
    """Write the page of the 837."""
    parts = [
        "# X12 837: claims",
        _MADE,
        _CLAIM_INTRODUCTION,
        "## Claim",
        _table(CLAIM.rows, {"2300": CLAIM}),
        "## Line",
        _table(LINE.rows, {"2400": LINE}),
        "## Providers, member, payer",
        _plain_table(("loop", "element", "field", "rule"), _CLAIM_PARTIES),
        "## What is not read",
        _NOT_READ,
        _NOT_KEPT,
        _left(CLAIM_LEFT),
        "## What is kept of it",
        _EXCERPTS,
    ]
    return "\n\n".join(parts) + "\n"


_NOT_KEPT = """\
All other elements of the segments that have a place make no difference to what is stored, matched
or told. A test changes each element of a message with all segments, and holds this list to what it
finds."""

_EXCERPTS = """\
Whatever cannot be taken is kept as X12 that can be read again by itself: the envelopes of its file,
the levels above it with their parties, itself, and none of its siblings; with the separators of its
interchange and its own counts, at most a million characters. A transaction set that is refused as a
whole is kept whole. What lost a segment or its end has no SE, so that it is never taken for whole.
An event whose number another one of its set had before has a note (NTE02 AUTHMATCH-REPEATED-n) that
keeps its id. A load that was interrupted goes on at the ISA of the interchange that was open."""

_INQUIRIES = """\
Of an inquiry (005010X215, BHT02 28) are read: the member, all numbers (HCR02, REF BB, NT, 9F, G1),
category and service type (UM01, UM03), days (DTP 007, AAH, 472, 435), services (SV1, SV2, SV3), the
NPIs of who gives the service and where, traces (TRN). Without an event all of a member is asked.

The answer (BHT02 11) has the levels of the inquiry with NM1, DMG, INS and REF, its traces (TRN01
2), and an event for each authorization. Nothing found is AAA03 AA at the event; a member who is not
known is AAA03 75 at the subscriber, 67 at the dependent. AAA04 is C."""

_ANSWERED = (
    ("category, `certification_type`, `service_type`, place or bill type, `urgency`", "UM",
     "UM01 as it was sent, else SC of a referral, AR of an inpatient stay, HS"),
    ("`decision`, `number`", "HCR", "of event and service, each its own"),
    ("`previous_numbers`, `other_numbers`, `administrative_reference`", "REF BB, G1, NT", ""),
    ("`certification_date`, `effective`, `requested_dates`, `admission`",
     "DTP 102, 007, 036, 472, 435, 096", "an open end of `effective` stays open"),
    ("`diagnoses`, `drg`", "HI", "without dots; the first is ABK where no type was sent"),
    ("`limits`", "HSD, else SV104, SV205, SV306", "rate and renewal; a plain count in the service"),
    ("`procedure`, `modifiers`, `revenue_code`, `unit_price`, teeth", "SV1, SV2, SV3, TOO",
     "by the setting; a line of a group of codes is told in MSG, and makes no service"),
    ("amount, days of service, `messages`", "MSG", ""),
    ("providers", "NM1 SJ, FA, DN with REF EI and PRV", ""),
)  # fmt: skip

_COMPOSITES = """\
Composite elements (CLM05, UM04, SV101, SV202, SV301, HI) are cut by the separator of ISA16. Where
all of an event or claim, and of its transaction set before it, go on behind their qualifier with
one and the same other character, that is taken, and told (`separator-other`). Where they do not
agree the event or claim is left out with the place (`separator-unclear`): no element is guessed
alone."""

_REVIEW_INTRODUCTION = f"""\
A response (BHT02 11) of 005010X217, or of an inquiry (X215), gives an authorization for each event
(HL EV); its services (HL SS) are the lines. A request (13) gives what is asked for, and never an
authorization; an inquiry (28) is answered and not stored. ST03 is trusted first, then GS08, then
the content; GS08 or GS01 of another transaction is told. A guide of another release (004010,
006020, 008020) is reported and not read.

A notification (005010X216, any BHT02 but 06, 08 and 44, which answer one) becomes an authorization
of the kind `notification`, and is acknowledged with a 999. Where it decides nothing (no HCR) its
action is NA: no action is needed, and a duty to notify is met by it; UM02 3 takes it back. Without
a day it is left out as a grant is.

A refusal (AAA) is no denial: it gives a refusal with its reasons, and no authorization. UM02 3 with
A1 or C is a confirmed cancellation. Quantities are those granted: a response's, never a request's.

Setting: dental with SV3, teeth or CDT codes (else a dental service type), inpatient with UM01 AR,
an inpatient bill type or a room (SV201 010x to 021x), outpatient with another bill type or SV2,
professional otherwise.

{_COMPOSITES}"""

_CLAIM_INTRODUCTION = f"""\
Professional (005010X222), institutional (X223) and dental (X224) claims with their addenda. ST03 is
trusted first, then GS08, then the lines: SV1, SV2 or SV3. A file may hold many interchanges, sets,
providers, subscribers, patients and claims; each claim stands alone, with the payer it is for.
Other releases than 005010 are reported and not read. The codes of problems are those of the
[278 page](x12-278.md#problems).

A claim is left out, with the reason, when it has no id, no line, no member or a line without any
date, or when its units, charge, dates, services, place or frequency (CLM05, all three components)
cannot be read: it would be judged on wrong figures. The others of the file are read all the same.

A predetermination (CLM19 PB, X291, X292) need not have a date of service: one without is matched as
of today, and marked (`estimate-undated`), or left out by `AUTHMATCH_X12_UNDATED_ESTIMATES=refuse`.

{_COMPOSITES}"""

_NEVER_WIDER = """\
What cannot be read never makes a grant wider. A service is left out when it is granted and its
code, quantity or dates cannot be read, when it has no date at all, or when it was refused (AAA): it
would inherit the grant of its event, or be without its restriction. An event is left out when its
own dates or quantity cannot be read and it grants, when none of its services is left, or when it
stands under an HL level that no guide has, or something of it does: that may be another person's,
or a restriction. UM or HCR above the patient (2010C) is an event without a member, and left out.

The dates of an event are situational in the guide. What is granted without any day would be paid
for ever: it is left out (`no-dates`). By `AUTHMATCH_X12_UNDATED_GRANTS` it has instead the days of
its request (`requested`: the same trace number and member, where the request stands before it in
the file, or was sent by us), or is held as pended (`pended`); both are told.

What was denied (A3) grants no quantity: what its HSD or service names is `requested`, unless it is
of an event of which something else was granted.

A segment that is not known, or has no place in its loop, is told (`segment-unknown`,
`segment-misplaced`) and passed over; what stands behind it stays where it belongs."""

_NOT_READ = """\
Numbers that are none of the payer's authorizations: REF*4N (an exception code), D9, EA, 9A, and
the numbers of other payers (loops 2320 and 2330, REF04 2U). Predeterminations (CLM19 PB, X291,
X292) are read and marked: they bill nothing. Adjudications of other payers (SVD, CAS), forms (LQ,
FRM) and ambulance, oxygen and equipment details (CR1, CR3, SV5) are passed over."""

_REVIEW_PARTIES = (
    ("2010A", "NM109", "(beside), `source.system`", "the payer"),
    (
        "2010B",
        "NM1, PRV, REF",
        "`requesting_provider`",
        "unless the event names one who refers (DN)",
    ),
    (
        "2010C, 2010D",
        "NM109",
        "`member.id`",
        "the patient's own, else the subscriber's; blanks dropped",
    ),
    (
        "2010C, 2010D",
        "DMG02, DMG03",
        "`member.birth_date`, `member.gender`",
        "of the patient; a masked date is left out",
    ),
    (
        "2010EA, 2010FA",
        "NM101",
        "`servicing_provider`, `other_servicing_providers`",
        "all of the first role that is named of " + " ".join(SERVICING) + "; others are told",
    ),
    (
        "2010EA, 2010FA",
        "NM101",
        "`facility`, `other_facilities`",
        "all of the first role that is named of "
        + " ".join(FACILITY)
        + "; each stands for the other where only one is named and the setting asks for it",
    ),
    ("2010EA, 2010FA", "NM101", "`requesting_provider`", " ".join(REFERRING)),
    ("any of a 278", "NM102", "`organization`", "2 is an organization"),
    ("any", "NM108, NM109", "`npi`, `tin`", "XX; 24, 34 or FI. Other ids have no field"),
    ("any", "REF EI SY TJ, PRV03", "`tin`, `taxonomy`", "as they stand"),
)

_CLAIM_PARTIES = (
    ("2010AA", "NM1, REF, PRV", "`billing_provider`", "taxonomy also of PRV in 2000A"),
    (
        "2310",
        "NM101",
        "`rendering_provider`",
        "82; of an institutional claim else " + " ".join(claims.RENDERING["institutional"][1:]),
    ),
    ("2310", "NM101", "`referring_provider`", "the first of " + " ".join(claims.REFERRING)),
    ("2310", "NM101", "`facility`", " ".join(claims.FACILITY)),
    ("2420", "NM101", "`lines.rendering_provider`", "82"),
    ("2410", "LIN03", "`lines.attached.drug`", "as it stands"),
    (
        "2010BA, 2010CA",
        "NM109",
        "`member.id`",
        "the patient's own, else the subscriber's; blanks dropped",
    ),
    ("2010BA, 2010CA", "DMG02, DMG03", "`member.birth_date`, `member.gender`", "of the patient"),
    ("2010BB", "NM109, NM103", "(beside the claim)", "the payer; else the receiver (1000B)"),
    ("2000B", "SBR01", "(beside the claim)", "P, S, T: whether other payers come first"),
    ("header", "BHT06", "(beside the claim)", "CH to be paid, RP for the record"),
)


def _problems() -> Iterable[tuple[str, ...]]:
    for code, rule in RULES.items():
        yield (
            f"`{code}`",
            rule.severity,
            rule.text,
            rule.ik3,
            rule.ik4,
            rule.ik5,
            rule.ak9,
            rule.ta1,
        )


def _table(rows: Iterable[Told], tables: Mapping[str, Rows]) -> str:
    cells = (
        (
            _source(row),
            row.elements,
            ", ".join(map(_field, row.field.split(", "))),
            row.rule,
            ", ".join(loop for loop, each in tables.items() if row in each.rows),
        )
        for row in rows
    )
    return _plain_table(("segment", "element", "field", "rule", "loop"), cells)


def _left(rows: Iterable[Left]) -> str:
    return _plain_table(
        ("loops", "not kept", "what it is"),
        ((", ".join(each.loops.split()), each.elements, each.why) for each in rows),
    )


def _source(row: Told) -> str:
    return " ".join((row.segment, *row.on))


def _field(name: str) -> str:
    return name if name.startswith("(") else f"`{name}`"


def _plain_table(names: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [names, ("---",) * len(names), *rows]
    return "\n".join(f"| {' | '.join(each.replace('|', '/') for each in line)} |" for line in lines)
