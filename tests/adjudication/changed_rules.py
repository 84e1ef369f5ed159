"""What payers decide otherwise than the shipped rules: by name, as texts replaced in rule files."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.builders import QUERIES

ACCOUNTING = "reference/accounting.yaml"
EVENTS = "reference/event-codes.yaml"
Change = tuple[str, str, str]

CHANGES: Mapping[str, tuple[Change, ...]] = {
    "shipped": (),
    "examiners may override a decision": (
        (ACCOUNTING, "status_override: false", "status_override: true"),
    ),
    "nothing is paid in part": ((ACCOUNTING, "when_short: cutback", "when_short: refuse"),),
    "an authorized price bounds": ((ACCOUNTING, "unit_price: tell", "unit_price: bound"),),
    "components count each for itself": ((ACCOUNTING, "components: share", "components: each"),),
    "certified within thirty days": ((ACCOUNTING, "retro_days_max: null", "retro_days_max: 30"),),
    "several always go to an examiner": (
        (ACCOUNTING, "review_multiple: false", "review_multiple: true"),
    ),
    "referrals have a reason of their own": (
        (
            ACCOUNTING,
            "by_query_type: {}",
            'by_query_type: {referral: {exceeded: {group: PR, carc: "287"}}}',
        ),
    ),
    "not found is denied": (
        (
            EVENTS,
            'on this claim line."\n    severity: error\n    action: suspend\n'
            '    deny_with: {group: CO, carc: "197"}',
            'on this claim line."\n    severity: error\n    action: deny\n'
            '    deny_with: {group: CO, carc: "197"}',
        ),
    ),
    "exceeded is denied": (
        (
            EVENTS,
            'professional services on this claim line than the authorization has left."\n'
            "    severity: warning\n    action: none",
            'professional services on this claim line than the authorization has left."\n'
            '    severity: warning\n    action: deny\n    deny_with: {group: CO, carc: "198"}',
        ),
    ),
    "in part is taken automatically": (
        ("base.yaml", "auto_resolve: {enabled: false", "auto_resolve: {enabled: true"),
    ),
    "one result at most": (("base.yaml", "max_results: 50", "max_results: 1"),),
    "a diagnosis bars nothing": (
        ("professional.yaml", "version: 1\n", "version: 2\n"),
        (
            "professional.yaml",
            "  - id: diagnosis\n",
            "  - id: diagnosis\n    never_bars_exact: true\n",
        ),
    ),
}


def write_rules(name: str, folder: Path) -> Path:
    """Write the rule files with the changes of a name into a folder that is not there yet."""
    shutil.copytree(QUERIES, folder)
    for file, old, new in CHANGES[name]:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, f"{file} has no more: {old}"
        (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder
