"""Acknowledges what was read: a 999 (005010X231A1) with its groups, a TA1 for the interchange.

No clock and no counter here: the numbers and the time are given. A 999 says which segment breaks
which rule, never what stands in it: the copy of a bad element (IK404) is always left out.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby

from service.ingest.x12.wire.problem import CONSEQUENCES, Problem
from service.ingest.x12.wire.results import GroupOutcome, InterchangeOutcome, TransactionOutcome
from service.ingest.x12.wire.writing import ControlNumbers, Form, Written, write_answer

_FORM = Form("FA", "999", "005010X231A1")
_CODES_MAX = 5
_ERRORS_MAX = 100
_TA1_REJECTING = frozenset({"022"})


def acknowledge(
    outcome: InterchangeOutcome, numbers: ControlNumbers, at: datetime, *, ta1: bool | None = None
) -> str:
    """Write the acknowledgement of an interchange, from its receiver to its sender.

    A TA1 is written where the sender asks for one (ISA14) or the interchange has a fault, unless
    ``ta1`` says otherwise; a 999 for every group that has a control number.
    """
    wants = outcome.interchange.wants_acknowledgement or bool(_ta1_codes(outcome))
    before = [_ta1(outcome)] if (wants if ta1 is None else ta1) else []
    groups = [each for each in outcome.groups if each.group.control_number]
    sets = [(each.group, _set_999(each)) for each in groups]
    return write_answer(outcome.interchange, numbers, at, _FORM, sets, before=before)


def _set_999(outcome: GroupOutcome) -> list[Written]:
    group = outcome.group
    body: list[Written] = [["AK1", group.functional_id, group.control_number, group.version]]
    for each in outcome.transactions:
        body += _set_response(each)
    accepted = sum(each.is_accepted for each in outcome.transactions)
    received = len(outcome.transactions)
    codes = _codes(each.rule.ak9 for each in outcome.problems)
    status = _group_status(outcome, accepted, received)
    declared = received if outcome.declared is None else outcome.declared
    return [*body, ["AK9", status, str(declared), str(received), str(accepted), *codes]]


def _group_status(outcome: GroupOutcome, accepted: int, received: int) -> str:
    """Say A accepted, E accepted with faults, P partly, R rejected."""
    if accepted < received:
        return "P" if accepted else "R"
    faults = any(_status(each) != "A" for each in outcome.transactions) or outcome.problems
    return "E" if faults else "A"


def _set_response(outcome: TransactionOutcome) -> Iterator[Written]:
    transaction = outcome.transaction
    yield ["AK2", transaction.set_id, transaction.control_number, transaction.guide_named]
    reported = _reported(outcome.problems)
    for (name, position, loop, ik3), problems in groupby(reported[:_ERRORS_MAX], key=_segment_of):
        yield ["IK3", name, str(position), loop[:6], ik3]
        for each in problems:
            if each.rule.ik4 and each.element:
                place = [str(each.element), str(each.component) if each.component else ""]
                yield ["IK4", place, "", each.rule.ik4]
    codes = [each.rule.ik5 for each in outcome.problems]
    yield ["IK5", _status(outcome), *_codes([*codes, "I5" if reported else ""])]


def _reported(problems: Iterable[Problem]) -> list[Problem]:
    """What is told by segment: that a part was left out only where nothing says why."""
    placed = [each for each in problems if each.rule.ik3 and each.position > 0]
    return [each for each in placed if each.code not in CONSEQUENCES] or placed


def _segment_of(problem: Problem) -> tuple[str, int, str, str]:
    rule = problem.rule
    return rule.missing or problem.segment_id, problem.position, problem.loop, rule.ik3


def _status(outcome: TransactionOutcome) -> str:
    if not outcome.is_accepted:
        return "R"
    reported = any(each.rule.ik3 or each.rule.ik5 for each in outcome.problems)
    return "E" if reported else "A"


def _ta1(outcome: InterchangeOutcome) -> list[str]:
    """Write a TA1: A accepted, E accepted with a fault, R rejected."""
    interchange = outcome.interchange
    codes = _ta1_codes(outcome)
    code = codes[0] if codes else "000"
    status = "A" if not codes else "R" if code in _TA1_REJECTING and not outcome.groups else "E"
    number = interchange.control_number.zfill(9)
    return ["TA1", number, interchange.date, interchange.time, status, code]


def _ta1_codes(outcome: InterchangeOutcome) -> list[str]:
    return _codes(each.rule.ta1 for each in outcome.problems)


def _codes(codes: Iterable[str]) -> list[str]:
    """The first few codes, each once."""
    return list(dict.fromkeys(filter(None, codes)))[:_CODES_MAX]
