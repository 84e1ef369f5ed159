"""Query templates drawn at random: every comparison, on every field that it can compare."""

from collections.abc import Iterator
from random import Random
from typing import Any

from service.comparison.registry import comparisons
from service.domain.fields import AUTHORIZATION_FIELDS, COUNTED

Fields = dict[str, Any]

ROLES = ("billing_provider", "rendering_provider", "referring_provider", "facility")
DATES = (["line.from", "line.to"], ["line.from"], ["admission.date", "discharge_date"])
BILLED: Fields = {
    "numbers_all": ["numbers.authorization", "numbers.referral", "numbers.predetermination"],
    "kind": ["requested_type"],
    "procedure.from": ["line.procedure"],
    "procedure.to": ["line.procedure"],
    "procedure.shape": ["line.procedure_shape"],
    "procedure.group": ["line.procedure"],
    "service_type": ["line.procedure"],
    "modifiers": ["line.modifiers"],
    "modifiers_significant": ["line.modifiers"],
    "revenue_code": ["line.revenue_code"],
    "level_of_care": ["line.revenue_code"],
    "place_of_service": ["line.place_of_service"],
    "bill_type": ["bill_type"],
    "drg": ["drg"],
    "diagnoses": ["diagnoses", "line.diagnoses", "principal_diagnosis"],
    "principal_diagnosis": ["principal_diagnosis", "line.diagnoses"],
    "admission.type": ["admission.type"],
    "admission.source": ["admission.source"],
    "tooth": ["line.tooth", "line.teeth"],
    "surfaces": ["line.surfaces"],
    "oral_cavity": ["line.oral_cavity", "line.teeth"],
    "attached.region": ["attached.region", "line.attached.region"],
    "attached.risk_level": ["attached.risk_level", "line.attached.risk_level"],
    "attached.review_due": ["attached.review_due", "line.from"],
    "attached.pilot": ["attached.pilot", "line.attached.pilot"],
    "admission.date": ["admission.date", "line.from"],
    "certification_date": ["line.from", "discharge_date"],
    **{f"{role}.group_scope": ["network_scopes"] for role in ("servicing_provider", "facility")},
    **{
        f"{role}.{name}": [f"{other}.{name}" for other in ROLES]
        for role in ("servicing_provider", "requesting_provider", "facility")
        for name in ("npi", "tin", "taxonomy", "specialty")
    },
    "servicing_provider.provider_group": [f"{role}.groups" for role in ROLES],
}
CONSTANTS: Fields = {
    "setting": ["professional", "inpatient", "dental"],
    "action": ["A1", "A3", "A4"],
    "certification_type": ["I"],
    "urgency": ["U"],
    "service_type": ["PT", "1"],
    "procedure.from": ["97110", "D2740"],
    "modifiers": ["GP", "26"],
    "attached.risk_level": ["3"],
    "attached.pilot": ["true"],
    "admission.date": ["2026-03-01"],
    "tooth": ["14"],
}
TYPES = {
    "attached.region": "keyword",
    "attached.risk_level": "long",
    "attached.review_due": "date",
    "attached.pilot": "boolean",
}
TABLES = {
    "procedure.from": ["procedure-groups", "dental-categories"],
    "procedure.group": ["procedure-groups", "procedure-counterparts"],
    "service_type": ["service-types"],
    "place_of_service": ["place-classes"],
    "bill_type": ["bill-type-families"],
    "drg": ["mdc"],
    "level_of_care": ["levels-of-care"],
    "revenue_code": ["levels-of-care"],
    "servicing_provider.taxonomy": ["specialty-parents"],
}
EXPANSIONS = {
    "modifiers": "modifier-sides",
    "modifiers_significant": "modifier-sides",
    "oral_cavity": "tooth-quadrants",
}
GAPS = (
    "procedure", "procedure.from", "procedure.group", "modifiers", "revenue_code", "tooth",
    "surfaces", "servicing_provider.npi", "drg", "effective", "attached.pilot",
    "attached.risk_level", "certification_date",
)  # fmt: skip
RAW_TESTS: tuple[Fields, ...] = (
    {"exists": {"field": "starts_on"}},
    {"terms": {"kind": ["authorization", "referral"]}},
    {"range": {"windows": {"lte": "${line.to}", "relation": "intersects"}}},
    {"bool": {"must_not": [{"term": {"status": "closed"}}]}},
    {"bool": {"should": [{"prefix": {"number": "AU"}}, {"exists": {"field": "action"}}]}},
    {"nested": {"path": "lines", "query": {"exists": {"field": "lines.effective"}}}},
    {"nested": {"path": "lines", "query": {"terms": {"lines.diagnoses": "${diagnoses}"}}}},
)
RAW_LEVELS: tuple[Fields, ...] = (
    {"term": {"number": "AU1"}},
    {"terms": {"provider_npis": "${claim.rendering_provider.npi}"}},
    {"term": {"attached.pilot": True}},
    {"range": {"attached.risk_level": {"gte": 1, "lt": 5}}},
    {"match": {"action": {"query": "A1"}}},
    {"nested": {"path": "lines", "query": {"terms": {"lines.modifiers": "${line.modifiers}"}}}},
    {"dis_max": {"queries": [{"term": {"setting": "dental"}}, {"term": {"kind": "referral"}}]}},
    {"constant_score": {"filter": {"range": {"certification_date": {"gte": "${line.from}"}}}}},
)


class Templates:
    """Draws templates; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        """Begin at a seed."""
        self.rng = Random(seed)

    def template(self) -> Fields:
        """Draw one, in the form of its file."""
        rng = self.rng
        weights = rng.choice(((1, 40), (1, 40), (5_000, 15_000)))
        criteria = [self._criterion(f"c{each}", weights) for each in range(rng.randint(1, 9))]
        days = rng.choice((0, 1, 7, 30))
        require = [
            {"id": "window", "authorization": "effective", "claim": ["line.from", "line.to"],
             "comparison": rng.choice(("window", "window", "overlaps")),
             **rng.choice(({"days": "match_days"}, {"days": 3}, {}))},
            *self._tests("r", rng.choice((0, 0, 1, 2)), RAW_TESTS),
        ]  # fmt: skip
        return {
            "api": "authmatch/v1",
            "kind": "QueryTemplate",
            "id": "professional",
            "version": 1,
            "title": "drawn at random",
            "settings": {
                "match_days": {"before": days, "after": rng.choice((days, 0)), "max": 30},
                "min_results": rng.choice((0, 0, 1, 4)),
                "max_results": rng.choice((6, 10, 50)),
                "timeout_ms": 20_000,
            },
            "require": require,
            "exclude": self._tests("x", rng.choice((0, 0, 1)), RAW_TESTS),
            "exact": self._tests("e", rng.choice((0, 0, 1)), ()),
            "relax": self._relax(require),
            "criteria": criteria,
            "non_exact": {
                "min": rng.choice((0, 40, 60)),
                "needs": rng.choice(([], [criteria[0]["id"]])),
            },
            "auto_resolve": {"enabled": rng.random() < 0.5, "min": 80, "lead": rng.choice((0, 10))},
            "rank": rng.choice(
                (
                    ["certification_date", "effective.from", "number"],
                    ["effective.from", "authorization_id"],
                    ["number"],
                )
            ),
        }

    def _relax(self, require: list[Fields]) -> list[Fields]:
        """Draw steps that widen the window and drop requirements, but for the window."""
        rest = [each["id"] for each in require[1:]]
        steps: list[Fields] = [{"id": "wider", "match_days": 30}]
        if rest:
            steps.append({"id": "fewer", "drop": rest})
        return steps[: self.rng.randint(0, len(steps))]

    def _tests(self, start: str, count: int, raws: tuple[Fields, ...]) -> list[Fields]:
        tests = []
        for each in range(count):
            if raws and self.rng.random() < 0.3:
                tests.append({"id": f"{start}{each}", "raw": self.rng.choice(raws)})
            else:
                tests.append({"id": f"{start}{each}", **self._comparand()})
                if start == "r" and self.rng.random() < 0.4:
                    tests[-1]["or"] = self._comparand()
        return tests

    def _criterion(self, name: str, weights: tuple[int, int]) -> Fields:
        rng = self.rng
        count = rng.randint(1, 4)
        points = sorted((rng.randint(*weights) for _ in range(count)), reverse=True)
        criterion: Fields = {"id": name, "levels": []}
        is_raw = rng.random() < 0.12
        for number, weight in enumerate(points):
            judged = {"raw": rng.choice(RAW_LEVELS)} if is_raw else self._comparand()
            full = rng.random() < 0.5
            criterion["levels"].append(
                {"id": f"l{number}", "weight": weight, "full": full, **judged}
            )
        return criterion | self._options(is_raw=is_raw)

    def _options(self, *, is_raw: bool) -> Fields:
        rng = self.rng
        options: Fields = {
            "on_authorization_missing": rng.choice(("wildcard", "zero")),
            "on_claim_missing": rng.choice(("skip", "skip_and_bar_exact")),
            "never_bars_exact": rng.random() < 0.2,
        }
        if not is_raw and rng.random() < 0.3:
            options["scope"] = rng.sample(GAPS, rng.randint(1, 2))
        if not is_raw and rng.random() < 0.2:
            options["claim_absent_is"] = rng.choice(("missing", "value"))
        if rng.random() < 0.15:
            options["applies_when"] = rng.choice(
                (
                    {"claim": "line.procedure", "groups": "per-tooth-codes"},
                    {"claim": "line.procedure", "groups": "procedure-groups"},
                    {"claim": "line.revenue_code", "groups": "levels-of-care"},
                )
            )
        return options

    def _comparand(self) -> Fields:
        """Draw a comparison first, so that each has its share, then a field that it can compare."""
        rng = self.rng
        drawn: Fields = {}
        while not drawn:
            drawn = self._of(rng.choice(sorted(comparisons())))
        if rng.random() < 0.15:
            drawn["when_absent"] = rng.sample(GAPS, rng.randint(1, 2))
        return drawn

    def _of(self, name: str) -> Fields:
        """Draw a use of one comparison; nothing where the field drawn does not lend itself."""
        rng, comparison = self.rng, comparisons()[name]
        drawn: Fields = {"comparison": name}
        if "date_range" in comparison.types:
            drawn |= {"authorization": "effective", "claim": rng.choice(DATES)}
            return drawn | rng.choice(({}, {"days": 3}, {"days": "match_days"}))
        if "procedure" in comparison.types:
            claim = rng.choice((["line.procedure", "line.procedure_shape"], ["line.procedure"]))
            return drawn | {"authorization": "procedure", "claim": claim}
        fields = [each for each in (*BILLED, *CONSTANTS) if type_of(each) in comparison.types]
        if name == "subset":
            fields = list(COUNTED)
        if "groups" in comparison.options:
            fields = [each for each in fields if each in TABLES]
        field = rng.choice(fields)
        drawn["authorization"] = field
        drawn |= dict(self._how(field, comparison.options))
        claims = [each for each in BILLED.get(field, ()) if fits_type(each, field)]
        if field in CONSTANTS and name != "near" and (not claims or rng.random() < 0.2):
            most = 1 if comparison.claims == (1, 1) else 2
            return drawn | {"value": CONSTANTS[field][:most]}
        if not claims:
            return {}
        count = rng.randint(1, min(comparison.claims[1], len(claims)))
        drawn["claim"] = rng.sample(claims, count)
        if field in EXPANSIONS and rng.random() < 0.5:
            drawn["expand"] = EXPANSIONS[field]
        return drawn

    def _how(self, field: str, options: frozenset[str]) -> Iterator[tuple[str, Any]]:
        rng = self.rng
        if "groups" in options:
            yield "groups", rng.choice(TABLES[field])
        if "length" in options:
            yield "length", rng.randint(1, 4)
        if "days" in options and rng.random() < 0.6:
            yield "days", rng.choice((1, 5, "match_days"))


def type_of(field: str) -> str:
    """The type of an authorization field, attached data included."""
    return TYPES.get(field) or AUTHORIZATION_FIELDS[field].type


def fits_type(claim: str, field: str) -> bool:
    """Whether a claim field is of the type that the authorization field has."""
    days = ("line.from", "line.to", "discharge_date", "admission.date", "attached.review_due")
    return (type_of(field) == "date") == (claim.removeprefix("line.") in days or claim in days)
