"""Whether Elasticsearch and the scorer agree: two paths to one total, compared and counted."""

from collections.abc import Iterable

import structlog
from prometheus_client import Counter

from service.matching.judgement import Judged

log = structlog.get_logger()

COMPARED = Counter(
    "authmatch_scores_compared_total", "Scores of Elasticsearch set against ours.", ["template"]
)
DISAGREED = Counter(
    "authmatch_scores_disagreed_total",
    "Scores of Elasticsearch that are not ours: a wrong template or index, look at once.",
    ["template"],
)


def compare_scores(judged: Iterable[Judged]) -> int:
    """Compare the totals of a scored search with ours; gives how many differ."""
    differing = 0
    for each in judged:
        engine_score = each.candidate.engine_score
        if engine_score is None:
            continue
        template = each.asked.plan.template
        COMPARED.labels(template.id).inc()
        if engine_score != each.best_score:
            differing += 1
            DISAGREED.labels(template.id).inc()
            log.error(
                "scores_disagree",
                template=f"{template.id}@{template.version}",
                authorization_id=each.candidate.authorization_id,
                version=each.candidate.version,
                ours=each.best_score,
                elasticsearch=engine_score,
            )
    return differing


def count_missing(template: str, missing: int) -> None:
    """Count candidates that only one of the two paths found."""
    if missing:
        DISAGREED.labels(template).inc(missing)
        log.error("candidates_disagree", template=template, missing=missing)
