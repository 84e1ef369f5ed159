"""Reports: a draft of the rules judged on a study, beside the rules in force.

The judging is done by a process of its own, within a budget of time.
"""

import asyncio
import hashlib
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated

import orjson
from pydantic import Field

from service.access.act import note
from service.application import golden, rules_drafts, studies
from service.application.parts import Caller
from service.application.rules import Asked as Why
from service.application.rules import RulesRefused, pointer_of, problem, texts_of
from service.application.rules_drafts import ReportNoted
from service.application.studies import Json, NoSuchStudy, NotDone, Tell
from service.domain.misfits import Misfit
from service.domain.values import Frozen, Identifier, Text
from service.flow.matching.counting import Counting
from service.flow.matching.match import match_claim
from service.querying.problem import Problem
from service.rules.book import RuleBook
from service.rules.changes import changes
from service.rules.rule_set import RuleSet
from service.rules.texts import load_texts
from service.stores.connection.clock import now
from service.stores.studies.studies import Head
from service.tuning.columns import KINDS
from service.tuning.golden import Label, labels_of
from service.tuning.judging import Judging, Verdict, verdict_of
from service.tuning.measures import Labels
from service.tuning.page import csv_of as csv_of
from service.tuning.process import asked_as_json
from service.tuning.report import MINUTES, Asked
from service.tuning.study import StudyClaim, read_line

REPLAYED_MAX = 2_000
"""So many claims are replayed on the engine for a report; the lines of others are left out."""

SWEPT_MAX = 200
"""So many values of a key are tried at once."""
_LINE_BYTES_MAX = 64 * 1024 * 1024
_FILE = r"^(?:[a-z]+/)?[A-Za-z0-9_\-]+\.(?:yaml|json)$"


class ReportAsked(Frozen):
    """What a report is asked of: a study, and a draft.

    ``draft`` is the id of one that is kept; else ``texts`` are the files that differ from the rules
    in force, null for one that there is not. Without ``labels`` the golden set says what is right.
    """

    study: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    draft: Identifier | None = None
    texts: dict[Annotated[str, Field(pattern=_FILE)], str | None] = Field(
        default_factory=dict, max_length=200
    )
    labels: tuple[Label, ...] | None = Field(default=None, max_length=200_000)
    minutes: Annotated[int, Field(ge=0, le=600)] = MINUTES
    name: Text | None = None


class EvaluationAsked(Why):
    """What a draft is evaluated for, perhaps with a report on it."""

    report: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None


class BudgetSpent(Misfit):
    """A report that took longer than it may."""


@dataclass(frozen=True, slots=True)
class Made:
    """A report as it was made: its JSON, and its page."""

    content: bytes
    page: bytes

    @property
    def hash(self) -> str:
        """The SHA-256 of the JSON."""
        return hashlib.sha256(self.content).hexdigest()


def draft_of(before: RuleSet, texts: Mapping[str, str | None]) -> RuleSet:
    """A set of rules with some files otherwise."""
    mixed = {**before.texts, **texts}
    return RuleSet({name: text for name, text in mixed.items() if text is not None})


async def begin(caller: Caller, asked: ReportAsked) -> Head:
    """Have a report made beside the requests; its head says how far it is.

    Raises NoSuchStudy, NotDone, NotFound, TooMuchWaits, RulesRefused for a draft that cannot be
    read.
    """
    caller.parts.jobs.check_room()
    before = await studies.set_in_force(caller)
    after = draft_of(before, asked.texts)
    if asked.draft is not None:
        after = RuleSet(await texts_of(caller, asked.draft))
    head = await new_head(caller, asked.study, before, after, name=asked.name)
    labels = await golden.labels(caller) if asked.labels is None else labels_of(asked.labels)

    async def work() -> None:
        await recorded(caller, head, before, after, labels=labels, minutes=asked.minutes)

    await caller.stores.studies.write(caller.payer, head)
    caller.parts.jobs.add(work)
    return head


async def new_head(
    caller: Caller, study: str, before: RuleSet, after: RuleSet, *, name: str | None = None
) -> Head:
    """A report that is not made yet.

    Raises NoSuchStudy, NotDone, RulesRefused for a draft that cannot be read.
    """
    found = await studies.read(caller, study)
    if found.status != "done":
        raise NotDone(f"this study is not done: {found.status}", "study")
    loaded = await asyncio.to_thread(load_texts, after.texts)
    if loaded.problems:
        raise RulesRefused(*loaded.problems)
    at, words = now(), [each.words for each in changes(before.texts, after.texts)]
    said: Json = {
        "name": name or "; ".join(words)[:200] or "no change",
        "rules": {
            "before": {"number": before.number, "hash": before.hash},
            "after": {"number": after.number, "hash": after.hash},
        },
        "changes": words[:100],
    }
    return Head(
        kind="report",
        id=secrets.token_hex(8),
        status="waiting",
        at=at,
        beat=at,
        by=caller.subject.title,
        said=said,
        study=study,
    )


async def recorded(
    caller: Caller,
    head: Head,
    before: RuleSet,
    after: RuleSet,
    *,
    labels: Labels,
    minutes: int,
    also: Tell | None = None,
) -> Made:
    """Make a report and store it; its head, and whoever else wants it, is told how far it is.

    Raises as ``make``.
    """
    found: list[Made] = []

    async def work(tell: Tell) -> Head:
        def told(what: str) -> None:
            tell(what)
            if also is not None:
                also(what)

        made = await make(
            caller, str(head.study), before, after, labels=labels, minutes=minutes, tell=told
        )
        found.append(made)
        return replace(head, status="done", said={**head.said, **_summary(made)})

    async def store(done: Head) -> None:
        await caller.stores.studies.write_report(
            caller.payer, done, found[0].content, found[0].page
        )

    await studies.recorded(caller, head, work, store)
    return found[0]


def _summary(made: Made) -> Json:
    """What a list of reports shows of one."""
    report = orjson.loads(made.content)
    moved = sum(each["lines"] for each in report["harm"])
    harmful = sum(each["lines"] for each in report["harm"] if each["is_harmful"])
    return {
        "hash": made.hash,
        "lines": report["lines"],
        "moved": moved,
        "harmful": harmful,
        "change_hours": report["review"]["change_hours"],
        "gates_hold": report["gates"]["hold"],
    }


async def make(
    caller: Caller,
    study: str,
    before: RuleSet,
    after: RuleSet,
    *,
    labels: Labels,
    minutes: int,
    tell: Tell,
) -> Made:
    """Judge a study by both sets of rules, in a process of its own.

    What only the engine can judge is replayed by both, and judged once more. Raises NoSuchStudy,
    NotDone, BudgetSpent, TemplatesRefused, EngineFault.
    """
    head = await studies.read(caller, study)
    lines = [line async for line in studies.lines_of(caller, head)]
    about = {name: head.said[name] for name in ("name", "taken_at", "claims", "lines", "hashes")}
    asked = Asked(
        study={"id": head.id, **about},
        claims=(),
        before=before,
        after=after,
        labels=labels,
        minutes=minutes,
    )
    made, left = await _judged(caller, asked, lines, tell)
    if left:  # whatever is left then is too much for a replay
        tell("replaying on Elasticsearch")
        replayed = await _replayed(caller, lines, left, before, after)
        made, _ = await _judged(caller, replace(asked, replayed=replayed), lines, tell)
    return made


async def _judged(
    caller: Caller, asked: Asked, lines: list[bytes], tell: Tell
) -> tuple[Made, list[int]]:
    """Have the process make a report; gives the claims too that only the engine can judge."""
    said = await made_apart(caller, asked_as_json(asked), lines, tell)
    if "refused" in said:
        load_texts(asked.after.texts).book  # noqa: B018 - says in full what is wrong
        raise Misfit("the rules in force cannot be read")
    if "report" not in said:
        raise Misfit(str(said.get("failed", "the report could not be made")))
    made = Made(content=said["report"].encode(), page=said["page"].encode())
    return made, said["left"]


async def made_apart(caller: Caller, head: Json, lines: list[bytes], tell: Tell) -> Json:
    """What a process of its own makes of a study, within its budget; raises BudgetSpent."""
    settings = caller.parts.settings
    head = {**head, "member_id_form": settings.member_id_form}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service.tuning.process",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_BYTES_MAX,
    )
    try:
        async with asyncio.timeout(settings.study_seconds_max):
            feeding = asyncio.create_task(_feed(process, head, lines))
            said = await _listened(process, tell)
            await feeding
    except TimeoutError as error:
        seconds = settings.study_seconds_max
        raise BudgetSpent(f"it took longer than {seconds:g} s", "study") from error
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return said


async def _feed(process: asyncio.subprocess.Process, head: Json, lines: Iterable[bytes]) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(BrokenPipeError, ConnectionResetError):  # it says itself why it ended
        for line in (orjson.dumps(head), *lines):
            process.stdin.write(line + b"\n")
            await process.stdin.drain()
        process.stdin.close()


async def _listened(process: asyncio.subprocess.Process, tell: Tell) -> Json:
    """Pass on what the process is at; gives what it said last."""
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    said: Json = {}
    async for line in process.stdout:
        said = orjson.loads(line)
        if "doing" in said:
            tell(said["doing"])
    return said


async def _replayed(
    caller: Caller, lines: list[bytes], left: Iterable[int], before: RuleSet, after: RuleSet
) -> tuple[Judging, Judging]:
    """Match claims on the engine by both sets of rules, as authorizations are now."""
    books = [load_texts(each.texts).book for each in (before, after)]
    wanted = set(sorted(left)[:REPLAYED_MAX])
    found: tuple[dict[int, Verdict], dict[int, Verdict]] = ({}, {})
    place = 0
    for number, line in enumerate(lines):
        one = read_line(line)
        if number in wanted:
            for verdicts, book in zip(found, books, strict=True):
                verdicts |= await _matched(caller, one, book, place)
        place += len(one.claim.lines)
    return Judging(found[0], frozenset()), Judging(found[1], frozenset())


async def _matched(
    caller: Caller, one: StudyClaim, book: RuleBook, first: int
) -> Mapping[int, Verdict]:
    """The verdicts of a claim by the engine; ``first`` is the place of its first line."""
    matched = await match_claim(
        one.claim,
        caller.payer,
        rules=book,
        source=caller.stores.search,
        counted=Counting.of(one.claim, book).with_held(one.held),
    )
    at = {line.line: first + number for number, line in enumerate(one.claim.lines)}
    return {
        at[search.line.line] * len(KINDS) + KINDS.index(search.kind): verdict_of(search)
        for search in matched.searches
    }


async def evaluated(caller: Caller, draft_id: str, asked: EvaluationAsked) -> Json:
    """Check a draft and note it as evaluated, with its report where one is named.

    Raises NotFound, NoSuchStudy, NotDone, StepRefused, RulesRefused, also for a report of other
    texts.
    """
    if asked.report is None:
        return await rules_drafts.evaluate(caller, draft_id, asked)
    noted = await _noted(caller, asked.report, await texts_of(caller, draft_id))
    return await rules_drafts.evaluate(caller, draft_id, asked, noted)


async def evaluated_for_all(
    caller: Caller, draft_id: str, asked: Why, *, named: Sequence[tuple[str, str]]
) -> Json:
    """Note a draft for all payers as evaluated, with reports on studies of payers that have it.

    Each is a payer and the id of a report. Raises as ``evaluated`` does, and RulesRefused for a
    payer that has rules of its own.
    """
    own = (await pointer_of(caller)).pointer.calendars
    texts = await texts_of(caller, draft_id)
    noted = []
    for payer, id_ in named:
        if payer in own:
            reason = f"{payer} has rules of its own: a draft for all would not be in force for it"
            raise RulesRefused(problem("/report", reason))
        noted.append(await _noted(replace(caller, payer=payer), id_, texts))
    hashes = [each.hash for each in noted]
    together = ReportNoted(
        " ".join(f"{payer}:{id_}" for payer, id_ in named),
        hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest(),
        all(each.gates_hold for each in noted),
    )
    return await rules_drafts.evaluate(caller, draft_id, asked, together)


async def _noted(caller: Caller, id_: str, texts: Mapping[str, str]) -> ReportNoted:
    """A report that is of these texts."""
    head = await read(caller, id_)
    if head.status != "done":
        raise NotDone(f"this report is not done: {head.status}", "report")
    said = head.said
    if said["rules"]["after"]["hash"] != RuleSet(texts).hash:
        reason = "the report is of other texts than the draft has now: have another one made"
        raise RulesRefused(problem("/report", reason), is_conflict=True)
    return ReportNoted(head.id, said["hash"], said["gates_hold"])


async def read(caller: Caller, id_: str) -> Head:
    """The head of a report; raises NoSuchStudy, EngineFault."""
    head = await caller.stores.studies.read(caller.payer, "report", id_)
    if head is None:
        raise NoSuchStudy("there is no report of this id")
    return head


async def bodies(caller: Caller, id_: str) -> Made:
    """A report as it was made; whose lines it shows is noted.

    Raises NoSuchStudy, NotDone, EngineFault.
    """
    head = await read(caller, id_)
    found = await caller.stores.studies.bodies(caller.payer, id_)
    if found is None:
        raise NotDone(f"this report is not done: {head.status}", "report")
    made = Made(*found)
    content = orjson.loads(made.content)
    shown = {row["claim_id"] for row in content["rows"]}
    note(claims=shown)
    with suppress(NoSuchStudy):  # months of studies are dropped before the reports of later ones
        study = await studies.read(caller, content["study"]["id"])
        await studies.claims_of(caller, study, await studies.names_of(caller, study), shown)
    return made


async def swept(
    caller: Caller,
    study: str,
    rules: RuleSet,
    key: str,
    values: Sequence[int],
    *,
    lines_max: int | None = None,
) -> Json:
    """Judge a study with one key (``FILE:KEY``) at several values, in a process of its own.

    Raises NoSuchStudy, NotDone, RulesRefused for a value that cannot be, BudgetSpent, EngineFault,
    and Misfit for a key that there is not, and for a study of more than ``lines_max`` lines.
    """
    file, _, path = key.partition(":")
    if not path:
        raise Misfit(f"{key}: a file and a key are needed, such as base.yaml:non_exact.min", "key")
    head = await studies.read(caller, study)
    if lines_max is not None and head.said.get("lines", 0) > lines_max:
        raise Misfit(f"a study of more than {lines_max:,} lines: use `authmatch sweep`", "study")
    lines = [line async for line in studies.lines_of(caller, head)]
    asked: Json = {
        "texts": dict(rules.texts),
        "file": file,
        "path": path.split("."),
        "values": list(values),
    }
    said = await made_apart(caller, asked, lines, lambda _: None)
    if "refused" in said:
        raise RulesRefused(*(Problem(**each) for each in said["refused"]))
    if "swept" not in said:
        raise Misfit(str(said.get("failed", "it could not be judged")), "key")
    return {"key": key, **said["swept"]}


def values_in(text: str) -> list[int]:
    """The whole numbers of a sweep: 50..90, 50..90/5, or 50,60,70; raises Misfit."""
    try:
        if ".." in text:
            first, _, rest = text.partition("..")
            last, _, step = rest.partition("/")
            found: Sequence[int] = range(int(first), int(last) + 1, int(step or 1))
        else:
            found = [int(each) for each in text.split(",")]
    except ValueError as error:
        raise Misfit(f"{text}: whole numbers are needed, such as 50..90/5", "values") from error
    if not 0 < len(found) <= SWEPT_MAX:
        raise Misfit(f"{text}: from 1 to {SWEPT_MAX} values", "values")
    return list(found)
