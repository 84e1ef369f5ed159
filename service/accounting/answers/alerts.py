"""What somebody should know of an authorization, or a request, now: decision, days, what is left.

Nothing is known here of what was raised before: the same is found each time it is looked for, under
the same id.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from service.accounting.answers.statement import AccountsState, AccountState
from service.accounting.answers.status import ACTIVE_ACTIONS, status_by_accounts
from service.accounting.answers.used import account_name
from service.accounting.books.grant import Balance, Measure
from service.accounting.books.plan import base_of
from service.accounting.books.scale import scaled, written, written_amount
from service.accounting.limits.bounds import RENEWED, RenewalUnknown, accounts_of
from service.domain.alert import DOCUMENTED, FOLLOW_UP, Alert, AlertKind, AlertTable, alert_id
from service.domain.authorization import Authorization
from service.domain.decision_clock import decision_clock
from service.domain.effective import effective_action, effective_days
from service.domain.manual_entry import ENTERED_AT, is_waiting
from service.domain.moment import add_months, in_zone
from service.domain.request_life import Request
from service.domain.values import DateSpan

_GONE = ("VOID", "SUPERSEDED")
_BEGUN = ("ACTIVE", "EXHAUSTED")
_LONG_PERIODS = ("month", "year")
_MONTHS_DIFFER = timedelta(days=3)
_NAMES: Mapping[Measure, str] = {"units": "units", "amount": "amount", "days": "service_days"}


def may_alert(held: AccountsState, table: AlertTable) -> bool:
    """Whether any account is so far used that an alert is possible, whatever the days are."""
    return any(
        next(_kinds(account, measure, balance, table), None) is not None
        for account in held.accounts
        for measure, balance in account.balances.items()
    )


def alerts_of(
    authorization: Authorization,
    state: Mapping[str, Any],
    held: AccountsState,
    table: AlertTable,
    at: datetime,
    zone: tzinfo = UTC,
) -> list[Alert]:
    """Every alert of an authorization at a moment (in UTC), with its balances as they are then.

    What is void or superseded has none. Of accounts only those count whose period is not over.
    ``zone`` is the payer's, in which days begin and end.
    """
    day = in_zone(at, zone).date()
    status = status_by_accounts(authorization, state, held, day)
    if status in _GONE:
        return []
    found = list(_of_accounts(authorization, held, table, day))
    if status in _BEGUN:
        found += _ending(authorization, table, day)
    if status == "PENDING":
        found += _pended(authorization, state, table, day, zone)
        found += (
            _undocumented(authorization, state, table, day)
            if is_waiting(authorization)
            else _undecided(authorization, table, at, zone)
        )
    return found


def alerts_of_request(request: Request, table: AlertTable, day: date) -> list[Alert]:
    """Every alert of a request that was answered, on a day of the payer's time zone.

    Its follow-up is due, the payer asks for a document, or the last day for an appeal is near.
    """
    found: list[tuple[AlertKind, date | None, str]] = []
    if request.status == "PENDED":
        asked_on, wanted = request.follow_up, ",".join(sorted(request.wanted))
        if table.follow_up and asked_on is not None and day >= asked_on:
            found.append(("follow-up", asked_on, asked_on.isoformat()))
        if table.wanted and wanted:
            found.append(("document-missing", None, wanted))
    until, ahead = request.appeal_by, table.appeal_days
    if until is not None and ahead is not None and until - timedelta(days=ahead) <= day <= until:
        found.append(("appeal", until, until.isoformat()))
    name = request.asked.request_id
    return [
        Alert(
            alert_id=alert_id(kind, "request", name, period),
            kind=kind,
            authorization_id=request.authorization_id or request.trace,
            request_id=name,
            member_id=request.asked.member.id,
            day=None if on is None else on.isoformat(),
        )
        for kind, on, period in found
    ]


def _kinds(
    account: AccountState, measure: Measure, balance: Balance, table: AlertTable
) -> Iterator[AlertKind]:
    """What there is to say of one measure of an account; of less than nothing left, that alone."""
    limit, committed, left = balance.limit, balance.used + balance.reserved, balance.remaining
    if limit is None or left is None:
        return
    if left < 0:
        if table.negative:
            yield "negative"
        return
    if table.used_percent is not None and committed * 100 > table.used_percent * limit:
        yield "used"
    most = table.left.get(account.unit or "") if measure == "units" else None
    if most is not None and committed > 0 and left <= scaled(most):
        yield "left"


def _of_accounts(
    authorization: Authorization, held: AccountsState, table: AlertTable, day: date
) -> Iterator[Alert]:
    """At most one of an account and a kind: of the measure of which the most is used."""
    for account in held.accounts:
        kinds: dict[AlertKind, tuple[float, Measure]] = {}
        for measure, balance in account.balances.items():
            share = (balance.used + balance.reserved) / max(1, balance.limit or 0)
            for kind in _kinds(account, measure, balance, table):
                kinds[kind] = max(kinds.get(kind, (share, measure)), (share, measure))
        if kinds and _is_running(authorization, account, day):
            for kind, (_, measure) in kinds.items():
                yield _alert_of(authorization, account, kind, measure)


def _alert_of(
    authorization: Authorization, account: AccountState, kind: AlertKind, measure: Measure
) -> Alert:
    """The alert of an account; with another limit it is another one."""
    balance = account.balances[measure]
    write = written_amount if measure == "amount" else written
    units = {"units": account.unit, "days": "days"}
    limit = balance.limit or 0
    left = limit - balance.used - balance.reserved
    return Alert(
        alert_id=alert_id(kind, authorization.authorization_id, account.name, measure, limit),
        kind=kind,
        authorization_id=authorization.authorization_id,
        member_id=authorization.member.id,
        account=account.name,
        measure=_NAMES[measure],
        unit=units.get(measure),
        granted=write(limit),
        committed=write(balance.used + balance.reserved),
        left=f"-{write(-left)}" if left < 0 else write(left),
    )


def _is_running(authorization: Authorization, account: AccountState, day: date) -> bool:
    """Whether the days of an account are not over, and it is that of the current period.

    What is full for a day or a week only ends nothing, and is no news.
    """
    told = account_name(account.name)
    lines = [each for each in authorization.lines if told["line"] in (None, each.line)]
    running = any(
        effective_action(each, authorization) in ACTIVE_ACTIONS and _is_not_over(days, day)
        for each in lines or ((authorization,) if told["line"] is None else ())
        if (days := effective_days(each, authorization)) is not None
    )
    return running and (
        told["boundary"] == "total" or _is_current(authorization, account, told["line"] or 0, day)
    )


def _is_not_over(days: DateSpan, day: date) -> bool:
    return days.to is None or days.to >= day


def _is_current(authorization: Authorization, account: AccountState, line: int, day: date) -> bool:
    base = base_of(account.name)
    if not base.endswith(RENEWED):
        return False
    try:
        # Where weeks begin is no matter: only months and years are asked for.
        accounts = accounts_of(authorization, line, "monday")
    except RenewalUnknown:
        return False
    return any(
        each.base == base
        and each.periods is not None
        and each.periods.unit in _LONG_PERIODS
        and each.name_on(day) == account.name
        for each in accounts
    )


def _ending(authorization: Authorization, table: AlertTable, day: date) -> Iterator[Alert]:
    """Its last day is near: that of the line that is granted the longest."""
    granted = [
        days.to
        for each in authorization.lines or (authorization,)
        if effective_action(each, authorization) in ACTIVE_ACTIONS
        and (days := effective_days(each, authorization)) is not None
    ]
    ends = [each for each in granted if each is not None]
    if table.ending_months is None or len(ends) < len(granted):
        return
    if day >= add_months(max(ends), -table.ending_months):
        yield _dated("ending", authorization, max(ends))


def last_end(day: date, months: int) -> date:
    """No end is later whose last months have begun by a day.

    A month after the 28th of February is the 28th of March; a month before the 31st is the 28th.
    """
    return add_months(day, months) + _MONTHS_DIFFER


def _pended(
    authorization: Authorization,
    state: Mapping[str, Any],
    table: AlertTable,
    day: date,
    zone: tzinfo,
) -> Iterator[Alert]:
    since, patience = _pended_since(authorization, state, zone), table.pended_days
    if since and patience is not None and day - since >= timedelta(days=patience):
        yield _dated("pended", authorization, since)
    asked = _day_in(authorization.attached.get(FOLLOW_UP))
    if table.follow_up and asked is not None and day >= asked:
        yield _dated("follow-up", authorization, asked)


def _undocumented(
    authorization: Authorization, state: Mapping[str, Any], table: AlertTable, day: date
) -> Iterator[Alert]:
    """It was entered by hand some days ago, and has no document; nobody else decides about it."""
    since, patience = _day_in(str(authorization.attached.get(ENTERED_AT))[:10]), table.document_days
    if since is None or patience is None or state.get(DOCUMENTED, True):
        return
    if day - since >= timedelta(days=patience):
        yield _dated("document-missing", authorization, since)


def _undecided(
    authorization: Authorization, table: AlertTable, at: datetime, zone: tzinfo
) -> Iterator[Alert]:
    """The time in which to decide is nearly over, or is."""
    due, ahead = decision_clock(authorization, zone).due, table.decision_hours
    if due is not None and ahead is not None and due - at <= timedelta(hours=ahead):
        yield _dated("decision-due", authorization, due)


def _pended_since(
    authorization: Authorization, state: Mapping[str, Any], zone: tzinfo
) -> date | None:
    """The day of the decision to pend it, else that on which it was received or stored."""
    decided_at = authorization.decision.decided_at if authorization.decision else None
    at = decided_at or authorization.received_at
    stored = state.get("pushed_at")
    if at is None and stored:
        at = datetime.fromisoformat(stored)
    return None if at is None else in_zone(at, zone).date()


def _day_in(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _dated(kind: AlertKind, authorization: Authorization, day: date) -> Alert:
    """The alert of a day, or of a time; with another one it is another one."""
    name, on = authorization.authorization_id, day.isoformat()
    due = day if isinstance(day, datetime) else None
    return Alert(
        alert_id=alert_id(kind, name, on),
        kind=kind,
        authorization_id=name,
        member_id=authorization.member.id,
        day=on if due is None else due.date().isoformat(),
        due=None if due is None else on,
    )
