"""A query template: what makes a candidate, how points are given, what the points mean.

The format is documented in ``docs/templates.md``; the rules of scoring in ``docs/matching.md``.
"""

from typing import Annotated, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, JsonValue, StringConstraints, model_validator

from service.domain.values import Frozen, LongText, Text

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_\-]{0,63}$")]
Days = Annotated[int, Field(strict=True, ge=0)]
Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
Weight = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
RankKey = Literal["certification_date", "effective.from", "number", "authorization_id"]

_Entry = TypeVar("_Entry")
_Several = Annotated[
    tuple[_Entry, ...], BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)
]
"""Several entries; one alone may be written without the brackets."""

WEIGHT_TOTAL_MAX = 1_000_000
"""Scores are 32-bit floats in Elasticsearch: whole numbers stay exact far beyond this sum."""
MATCH_DAYS_MAX = 365
RESULTS_MAX = 100
TIMEOUT_MS_MAX = 30_000


class MatchDays(Frozen):
    """By how many days the dates of a claim are widened to find an authorization."""

    before: Days = 7
    after: Days = 7
    max: Days = 30


class TemplateSettings(Frozen):
    """The window, the number of results, and how long one search may take."""

    match_days: MatchDays = MatchDays()
    min_results: Annotated[int, Field(strict=True, ge=0)] = 1
    max_results: Annotated[int, Field(strict=True, ge=1)] = 50
    timeout_ms: Annotated[int, Field(strict=True, ge=10, le=TIMEOUT_MS_MAX)] = 800


class Comparand(Frozen):
    """A claim value (or a constant) set against an authorization value by a comparison, or raw.

    ``when_absent`` names authorization fields that must all be empty for it to hold.
    """

    comparison: Text | None = None
    claim: _Several[Text] = ()
    value: _Several[str] = ()
    authorization: Text | None = None
    days: Days | Literal["match_days"] | None = None
    length: Annotated[int, Field(strict=True, ge=1, le=20)] | None = None
    groups: Text | None = None
    expand: Text | None = None
    when_absent: _Several[Text] = ()
    raw: dict[str, JsonValue] | None = None

    @model_validator(mode="after")
    def _compared_or_raw(self) -> Self:
        compared = (self.comparison, self.claim, self.value, self.authorization, self.when_absent)
        if self.raw is not None:
            if any(compared):
                raise ValueError("a raw clause stands alone, without comparison, claim or value")
        elif not self.comparison or not self.authorization:
            raise ValueError("'comparison' and 'authorization' are needed, or 'raw'")
        elif bool(self.claim) == bool(self.value):
            raise ValueError("either 'claim' or 'value' is needed")
        return self


class Requirement(Comparand):
    """What an authorization line must (or, under ``exclude``, must not) fulfil."""

    id: Id


class Needed(Requirement):
    """A requirement that may be met by an alternative as well, which is never exact."""

    or_: Comparand | None = Field(default=None, alias="or")


class Level(Comparand):
    """A degree of agreement and its points; ``full`` levels keep a match exact."""

    id: Id
    weight: Weight
    full: bool = False


class AppliesWhen(Frozen):
    """A criterion only counts for claim codes of a group table."""

    claim: Text
    groups: Text


class Criterion(Frozen):
    """One thing that is compared; its best level gives the points."""

    id: Id
    scope: tuple[Text, ...] = Field(
        default=(), description="Fields that must all be empty for the line to be unscoped here."
    )
    on_authorization_missing: Literal["wildcard", "zero"] = "wildcard"
    on_claim_missing: Literal["skip", "skip_and_bar_exact"] = "skip"
    claim_absent_is: Literal["missing", "value"] | None = None
    applies_when: AppliesWhen | None = None
    never_bars_exact: bool = False
    levels: tuple[Level, ...] = Field(min_length=1, max_length=20)

    @property
    def is_raw(self) -> bool:
        """Whether the levels are raw clauses, judged by Elasticsearch alone."""
        return self.levels[0].raw is not None


class Relax(Frozen):
    """A step that widens the search where too few were found; what it finds is never exact."""

    id: Id
    match_days: Days | None = None
    drop: tuple[Id, ...] = ()


class NonExact(Frozen):
    """From how many percent, and with points on one of which criteria, a match is non-exact."""

    min: Percent = 60
    needs: tuple[Id, ...] = ()


class AutoResolve(Frozen):
    """Whether non-exact matches are taken without an examiner, and under which guards."""

    enabled: bool = False
    min: Percent = 80
    lead: Percent = 10


class ChangelogEntry(Frozen):
    """What changed in a version of the template."""

    version: int
    by: Text
    note: LongText
    ticket: Text | None = None


class Expectation(Frozen):
    """What a template test expects of its claim line."""

    class_: Literal["exact", "non-exact", "none"] = Field(alias="class")
    authorization: Text | None = None


class TemplateTest(Frozen):
    """A case in ``queries/fixtures`` and what must come of it."""

    name: Text
    fixture: Id
    line: int = 1
    expect: Expectation


class Template(Frozen):
    """One of the query templates, with what it extends merged in."""

    api: Literal["authmatch/v1"]
    kind: Literal["QueryTemplate"]
    id: Id
    version: Annotated[int, Field(strict=True, ge=1)]
    extends: Id | None = None
    title: Text
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    changelog: tuple[ChangelogEntry, ...] = ()
    settings: TemplateSettings = TemplateSettings()
    require: tuple[Needed, ...] = Field(max_length=50)
    exclude: tuple[Requirement, ...] = Field(default=(), max_length=50)
    exact: tuple[Requirement, ...] = Field(
        default=(), max_length=50, description="What must also hold for an exact match; no points."
    )
    relax: tuple[Relax, ...] = Field(default=(), max_length=10)
    criteria: tuple[Criterion, ...] = Field(min_length=1, max_length=60)
    non_exact: NonExact = NonExact()
    auto_resolve: AutoResolve = AutoResolve()
    rank: tuple[RankKey, ...] = ("certification_date", "effective.from", "number")
    tests: tuple[TemplateTest, ...] = Field(default=(), max_length=200)

    def relaxed(self, steps: tuple[Relax, ...]) -> "Template":
        """The template as the steps leave it: a wider window, fewer requirements."""
        dropped = {name for step in steps for name in step.drop}
        days = [step.match_days for step in steps if step.match_days is not None]
        settings = self.settings
        if days:
            wide = settings.match_days.model_copy(update={"before": days[-1], "after": days[-1]})
            settings = settings.model_copy(update={"match_days": wide})
        require = tuple(each for each in self.require if each.id not in dropped)
        return self.model_copy(update={"settings": settings, "require": require})
