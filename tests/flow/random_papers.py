"""Authorizations and claims drawn from small pools, so that they agree here and there."""

from random import Random
from typing import Any

from service.domain.authorization import Authorization
from service.domain.claim import Claim

Fields = dict[str, Any]

NPIS = ("1234567893", "1477777779", "1588888887")
TINS = ("741234567", "751112223")
TAXONOMIES = ("225100000X", "207RC0000X", "207RI0011X", "111N00000X")
SPECIALTIES = ("65", "06", "C3")
GROUPS = ("PCP-7", "CARDIO-TX")
CODES = ("97110", "97112", "97140", "98940", "99203", "D2392", "D2740", "J0129", "0QS604Z")
RANGES = (("97110", "97140"), ("97112", "99203"), ("D2000", "D2999"), ("0001U", "0099U"))
CODE_GROUPS = ("therapy", "chiropractic", "consultation", "treatment")
MODIFIERS = ("GP", "LT", "RT", "50", "26", "59", "76")
PLACES = ("11", "02", "22", "21", "1")
REVENUE_CODES = ("0120", "0200", "0174", "0420", "611", "0762")
BILL_TYPES = ("0111", "131", "85", "0181")
CARE_LEVELS = ("medical-surgical", "intensive-care", "observation", "obstetric")
DIAGNOSES = ("M54.50", "M5451", "m16.11", "I25.10", "Z99")
DRGS = ("470", "469", "1", "003")
SERVICE_TYPES = ("PT", "33", "3", "1", "25")
TEETH = ("14", "3", "A", "019", "30")
SURFACES = ("M", "O", "D", "B")
AREAS = ("10", "20", "00", "1", "L")
NUMBERS = ("AU-1", "0000650010", "au 1", "RF/9", "DN-31")
DAYS = ("2026-02-27", "2026-03-01", "2026-03-02", "2026-03-12", "2026-03-31", "2026-04-05")
KINDS = ("authorization", "authorization", "referral", "notification")
SETTINGS = ("professional", "professional", "inpatient", "outpatient", "dental")
ACTIONS = ("A1", "A1", "A2", "A3", "A4", "A6", "CT", "NA", None)
ATTACHED: Fields = {
    "region": ("TX", "NM", ["TX", "OK"]),
    "risk_level": (0, 3, [3, 7], "3"),
    "review_due": (*DAYS[:3], "2026-02-30"),
    "pilot": (True, False),
}


class Papers:
    """Draws papers; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        """Begin at a seed."""
        self.rng = Random(seed)

    def maybe(self, share: float, **fields: Any) -> Fields:
        """Give each field or leave it out, so that every combination of gaps appears."""
        return {name: value for name, value in fields.items() if self.rng.random() < share}

    def some(self, pool: tuple[Any, ...], most: int) -> list[Any]:
        """Draw a few, the same one perhaps twice."""
        return [self.rng.choice(pool) for _ in range(self.rng.randint(0, most))]

    def one(self, pool: tuple[Any, ...]) -> Any:
        """Draw one."""
        return self.rng.choice(pool)

    def span(self, *, is_open: bool) -> Fields:
        """Draw first and last day; either may be missing where validity may be open."""
        first, last = sorted((self.one(DAYS), self.one(DAYS)))
        given = {"from": first, "to": last}
        if is_open and self.rng.random() < 0.3:
            given.pop(self.one(("from", "to")))
        return given

    def attached(self) -> Fields:
        """Draw attached data, now and then of a type that was not declared."""
        return {name: self.one(pool) for name, pool in ATTACHED.items() if self.rng.random() < 0.4}

    def provider(self) -> Fields:
        """Draw what both papers say of a provider."""
        return self.maybe(
            0.6,
            npi=self.one(NPIS),
            tin=self.one(TINS),
            taxonomy=self.some(TAXONOMIES, 2),
            specialty=self.one(SPECIALTIES),
        )

    def authorized_provider(self) -> Fields:
        """Draw a provider of an authorization."""
        more = self.maybe(
            0.4,
            group_scope=self.one(("in", "out", "either")),
            provider_group=self.one(GROUPS),
        )
        return {**self.provider(), **more}

    def claim_provider(self) -> Fields:
        """Draw a provider of a claim."""
        return {**self.provider(), **self.maybe(0.4, groups=self.some(GROUPS, 2))}

    def admission(self) -> Fields:
        """Draw an admission."""
        return self.maybe(
            0.7, date=self.one(DAYS), type=self.one(("1", "3")), source=self.one(("1", "4"))
        )

    def scope(self, share: float) -> Fields:
        """Draw what a header and a line may both say."""
        return self.maybe(
            share,
            decision={"action": self.one(ACTIONS)},
            certification_date=self.one(DAYS),
            effective=self.span(is_open=True),
            servicing_provider=self.authorized_provider(),
            requesting_provider=self.authorized_provider(),
            facility=self.authorized_provider(),
            diagnoses=[
                {"code": code, "type": self.one(("ABK", "ABF", None))}
                for code in self.some(DIAGNOSES, 3)
            ],
            admission=self.admission(),
            level_of_care=self.one(CARE_LEVELS),
            drg=self.one(DRGS),
            place_of_service=self.one(PLACES),
            bill_type=self.one(BILL_TYPES),
            service_type=self.one(SERVICE_TYPES),
            service_types=self.some(SERVICE_TYPES, 2),
            certification_type=self.one(("I", "R")),
            urgency=self.one(("U", "E")),
            attached=self.attached(),
            number=self.one(NUMBERS),
            other_numbers=self.some(NUMBERS, 1),
        )

    def procedure(self) -> Fields:
        """Draw a code, a range or a group."""
        kind = self.rng.randrange(3)
        if kind == 0:
            return {"from": self.one(CODES)}
        if kind == 1:
            return dict(zip(("from", "to"), self.one(RANGES), strict=True))
        return {"group": self.one(CODE_GROUPS)}

    def authorization(self, name: str, member: str) -> Authorization:
        """Draw an authorization; it always has its header's days, for it may be granted."""
        lines = [
            {
                "line": number,
                **self.scope(0.25),
                **self.maybe(
                    0.6,
                    procedure=self.procedure(),
                    modifiers=self.some(MODIFIERS, 3),
                    revenue_code=self.one(REVENUE_CODES),
                    tooth=self.one(TEETH),
                    surfaces=self.some(SURFACES, 3),
                    oral_cavity=self.some(AREAS, 2),
                ),
            }
            for number in range(1, self.rng.randint(0, 6) + 1)
        ]
        header = self.scope(0.6)
        if self.rng.random() < 0.9:
            header.setdefault("effective", self.span(is_open=True))
        else:
            # Nobody granted it, so it may be without days: it is valid at any time.
            undecided = {"decision": {"action": "A4"}}
            header = {**header, **undecided}
            lines = [{**line, **undecided} for line in lines]
        return Authorization.model_validate(
            {
                "authorization_id": name,
                "version": 1,
                "kind": self.one(KINDS),
                "setting": self.one(SETTINGS),
                "member": {"id": member},
                **header,
                "lines": lines,
            }
        )

    def claim(self, name: str, member: str) -> Claim:
        """Draw a claim of a few lines."""
        return Claim.model_validate(
            {
                "claim_id": name,
                "type": self.one(("professional", "institutional", "dental")),
                "member": {"id": member},
                "statement": self.span(is_open=False),
                **self.maybe(
                    0.7,
                    billing_provider=self.claim_provider(),
                    rendering_provider=self.claim_provider(),
                    referring_provider=self.claim_provider(),
                    facility=self.claim_provider(),
                    network=self.one(("in", "out")),
                    bill_type=self.one(BILL_TYPES),
                    place_of_service=self.one(PLACES),
                    admission=self.admission(),
                    drg=self.one(DRGS),
                    attached=self.attached(),
                    authorization_numbers=self.numbers(),
                ),
                "diagnoses": [{"code": code} for code in self.some(DIAGNOSES, 3)],
                "lines": [self.claim_line(number) for number in range(1, self.rng.randint(2, 5))],
            }
        )

    def numbers(self) -> list[Fields]:
        """Draw submitted numbers."""
        kinds = ("authorization", "referral", "predetermination")
        return [{"kind": self.one(kinds), "value": number} for number in self.some(NUMBERS, 2)]

    def claim_line(self, number: int) -> Fields:
        """Draw a claim line that asks for one or two kinds."""
        wanted = self.one(("authorization", "authorization", "authorization_and_referral"))
        own_days = self.span(is_open=False) if self.rng.random() < 0.7 else {}
        return {
            "line": number,
            **own_days,
            "benefit": {"requested_type": wanted},
            **self.maybe(
                0.7,
                procedure=self.one(CODES),
                modifiers=self.some(MODIFIERS, 3),
                revenue_code=self.one(REVENUE_CODES),
                place_of_service=self.one(PLACES),
                teeth=[
                    {"tooth": tooth, "surfaces": self.some(SURFACES, 3)}
                    for tooth in self.some(TEETH, 2)
                ],
                oral_cavity=self.some(AREAS, 2),
                rendering_provider=self.claim_provider(),
                authorization_numbers=self.numbers(),
                attached=self.attached(),
            ),
        }
