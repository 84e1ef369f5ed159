"""Judges a study again after a change of the rules, and reports on it, beside live matches."""

import asyncio
import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from benchmarks.measure import Connection, Measured, at_least, at_most, milliseconds
from service.application import studies
from service.application.parts import application, local_caller
from service.application.studies import Sent
from service.domain.claim import Claim
from service.rules.rule_set import RuleSet
from service.rules.texts import load_texts, read_folder
from service.settings import Settings
from service.tuning.columns import Columns
from service.tuning.judging import Judge
from service.tuning.process import asked_as_json
from service.tuning.report import Asked, make_report
from service.tuning.study import StudyClaim, lines_in, write_line

DAYS = 30
_CHANGES = (
    (
        "professional.yaml",
        "groups: procedure-groups, weight: 24",
        "groups: procedure-groups, weight: 20",
    ),
    ("base.yaml", "non_exact: {min: 60", "non_exact: {min: 70"),
)
LIVE_MAX_S = 120
BATCH_CLAIMS = 600


def frozen(settings: Settings, payer: str, claims: Sequence[Any]) -> list[StudyClaim]:
    """Freeze claims with all that could cover them, as a study is made."""

    async def all_of() -> list[StudyClaim]:
        async def sent() -> Any:
            for each in claims:
                yield Sent(Claim.model_validate(each))

        async with application(settings) as parts:
            caller = local_caller(parts, payer)
            return [each async for each in studies.frozen(caller, sent(), DAYS)]

    return asyncio.run(all_of())


def rows(
    study: Sequence[StudyClaim], service: Connection, claims: Sequence[Any]
) -> Iterator[Measured]:
    """Measure a study of these claims."""
    before = read_folder(Settings().queries_dir)
    after = dict(before)
    for file, old, new in _CHANGES:
        after[file] = after[file].replace(old, new)
    lines = lines_in(study)
    once_s, again_s = _judged(study, before, after)
    some = claims[:BATCH_CLAIMS]  # a client that sends more before it reads is ended
    stream = b"\n".join(map(orjson.dumps, some))
    post = _posting(service, "/match/batch", stream, "application/x-ndjson")
    post()
    batch = sum(len(each["lines"]) for each in some) / milliseconds(post) * 1000
    what = (
        f"{lines:,} study lines judged again after a change, lines a second, against /match/batch"
    )
    yield at_least(what, lines / again_s, batch, 10, "lines/s")
    asked = Asked(study={"id": "bench"}, claims=study, before=RuleSet(before), after=RuleSet(after))
    yield _beside(study, asked, service, claims)  # while the service keeps the connection open
    report_s = milliseconds(lambda: make_report(asked)) / 1000
    yield at_most("a report with causes, against judging the lines once", report_s, once_s, 5, "s")


def _judged(
    study: Sequence[StudyClaim], before: dict[str, str], after: dict[str, str]
) -> tuple[float, float]:
    """Seconds to judge a study for the first time, and again after a change."""
    books = [load_texts(texts).book for texts in (before, after)]
    started = time.perf_counter()
    columns = Columns.of(study)
    Judge(columns, books[0]).judge()
    once = time.perf_counter()
    Judge(columns, books[1]).judge()
    return once - started, time.perf_counter() - once


def _posting(
    service: Connection, path: str, body: bytes, kind: str = "application/json"
) -> Callable[[], object]:
    return lambda: service.post(path, body, kind)


def _beside(
    study: Sequence[StudyClaim], asked: Asked, service: Connection, claims: Sequence[Any]
) -> Measured:
    """The p50 of a match while another process judges a study, against the same without."""
    calls = [_posting(service, "/match", orjson.dumps(each)) for each in claims[:300]]
    for each in calls[:20]:
        each()
    without = sorted(map(milliseconds, calls))[len(calls) // 2]
    head = orjson.dumps({**asked_as_json(asked), "member_id_form": "plain"})
    process = subprocess.Popen(
        [sys.executable, "-m", "service.tuning.process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )

    def feed() -> None:
        assert process.stdin is not None
        with process.stdin as pipe:
            for line in itertools.chain([head], map(write_line, study)):
                pipe.write(line + b"\n")

    feeding = threading.Thread(target=feed)
    feeding.start()
    feeding.join()
    deadline = time.monotonic() + LIVE_MAX_S
    found: list[float] = []
    for each in itertools.cycle(calls):
        found.append(milliseconds(each))
        if process.poll() is not None or time.monotonic() > deadline:
            break
    process.kill()
    process.wait()
    what = "/match of 10 lines, p50, while a study is judged, against without"
    return at_most(what, sorted(found)[len(found) // 2], without, 1.3, "ms")
