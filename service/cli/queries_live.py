"""Checks templates against the live index: fields, compiled searches, and both paths to a score."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from service.application.parts import Application, application
from service.cli.compiled import asked_line
from service.cli.queries_check import Report
from service.domain.claim import Claim
from service.flow.matching.live_check import check_scores
from service.flow.matching.match import match_claim
from service.querying.problem import Problem
from service.querying.search import candidate_search, scored_search
from service.rules.book import RuleBook
from service.settings import Settings
from service.stores.connection.inspection import Inspection

if TYPE_CHECKING:
    from authmatch_local.samples import SampleData

CLAIMS_VALIDATED_MAX = 5
"""For each template."""
CLAIMS_SCORED_MAX = 150

_MISSING = "T003"
_REFUSED = "T015"
_DISAGREE = "T019"
"""Elasticsearch and the scorer come to different totals."""


async def check_live(settings: Settings, rules: RuleBook, report: Report) -> None:
    """Add what the live index says; raises EngineFault where an engine fails."""
    async with application(settings) as parts:
        stores = parts.stores
        inspection = Inspection(stores.elasticsearch, stores.redis, stores.indices)
        if not await inspection.is_installed():
            report.note("live checks: left out, the indices are not installed")
            return
        for name in await stores.installation.missing_fields():
            report.problems.append(
                Problem(
                    code=_MISSING,
                    path=f"/{name}",
                    file=await stores.migration.live_index(),
                    message=f"{name} is not in the live mapping: it would match nothing, silently",
                    hint="run `authmatch index migrate`",
                )
            )
        try:
            from authmatch_local.samples import SampleData
        except ModuleNotFoundError:
            report.note("compiled searches: left out, sample claims come with authmatch[local]")
            return
        sample = SampleData(seed=1, authorizations=2_000)
        await _validate(parts, rules, report, sample)
        await _compare(parts, rules, report, sample)


async def _validate(
    parts: Application, rules: RuleBook, report: Report, sample: "SampleData"
) -> None:
    """Have Elasticsearch read what each template compiles to."""
    payer, count = parts.settings.default_payer, 0
    for plan in rules.plans.values():
        for claim, line in islice(_lines_for(plan.template.id, sample), CLAIMS_VALIDATED_MAX):
            asked = asked_line(plan, claim, line, rules.references)
            for search in (candidate_search([asked]), scored_search(asked)):
                count += 1
                reason = await parts.stores.search.refusal(payer, claim.member.id, search)
                if reason is not None:
                    message = f"Elasticsearch refuses the compiled search: {reason}"
                    report.problems.append(
                        Problem(
                            code=_REFUSED,
                            path="",
                            file=report.files[plan.template.id],
                            message=message,
                        )
                    )
                    break
            else:
                continue
            break
    report.note(f"compiled searches validated: {count}")


async def _compare(
    parts: Application, rules: RuleBook, report: Report, sample: "SampleData"
) -> None:
    """Score sample claims on both paths; members that are not in the index have no candidates."""
    payer = parts.settings.default_payer
    lines = candidates = 0
    for given, _ in islice(sample.claims(), CLAIMS_SCORED_MAX):
        claim = Claim.model_validate(given)
        matched = await match_claim(claim, payer, rules=rules, source=parts.stores.search)
        for search in matched.searches:
            first = search.passes[0]
            differing = await check_scores(matched.finder, list(first.judged), first.asked)
            lines += 1
            candidates += len(first.judged)
            if differing:
                where = f"sample claim {claim.claim_id}, line {search.line.line}"
                report.problems.append(
                    Problem(
                        code=_DISAGREE,
                        path="",
                        file=report.files[search.plan.template.id],
                        message=f"Elasticsearch and the scorer differ {differing} times: {where}",
                    )
                )
    report.note(f"both paths to a score compared: {lines} lines, {candidates} candidates")
    if not candidates:
        report.note("there is no sample data to score: `authmatch sample | authmatch load -`")


def _lines_for(template: str, sample: "SampleData") -> Iterator[tuple[Claim, int]]:
    """Give sample claims that are meant for a template."""
    for given, expected in sample.claims():
        line = next((each.line for each in expected if each.template == template), None)
        if line is not None:
            yield Claim.model_validate(given), line
