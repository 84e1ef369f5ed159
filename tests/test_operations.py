"""Alert rules and the dashboard ask for what the service exports, in words that engines take."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from ruamel.yaml import YAML

from service.api.app import create_app
from tests.pages import ROOT

ALERTS = ROOT / "operations/prometheus/authmatch.rules.yml"
DASHBOARD = ROOT / "operations/grafana/authmatch.json"

_METRIC = re.compile(r"(?<![\w:])(authmatch_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r'(\w+)(?:=~|!~|!=|=)"')
_OF_HISTOGRAMS = {"le"}


def alert_rules() -> list[dict[str, Any]]:
    """All rules of the file."""
    content = YAML(typ="safe").load(ALERTS)
    return [rule for group in content["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """All panels that show something."""
    content = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return [panel for panel in content["panels"] if panel["type"] != "row"]


def dashboard_expressions() -> Iterator[str]:
    """What panels and variables ask for."""
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])
    for variable in json.loads(DASHBOARD.read_text(encoding="utf-8"))["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"]


def exported() -> dict[str, set[str]]:
    """By the name of a series, its labels."""
    create_app()
    collectors = REGISTRY._names_to_collectors
    return {
        name: {*getattr(collector, "_labelnames", ()), *_OF_HISTOGRAMS}
        for name, collector in collectors.items()
    }


@pytest.mark.parametrize("file", [ALERTS, DASHBOARD], ids=["alerts", "dashboard"])
def test_every_metric_is_exported_with_these_labels(file: Path) -> None:
    """Else an alert never fires, and a panel stays empty, silently."""
    asked = (
        [rule["expr"] for rule in alert_rules()]
        if file is ALERTS
        else list(dashboard_expressions())
    )
    known = exported()

    found = [(name, labels) for each in asked for name, labels in _METRIC.findall(each)]

    assert found
    assert [name for name, _ in found if name not in known] == []
    assert [
        (name, label)
        for name, labels in found
        for label in _LABEL.findall(labels)
        if label not in known[name]
    ] == []


def test_every_alert_says_what_is_wrong_and_how_much_it_matters() -> None:
    """In one line, under a name that no other has; what is recorded has a name with its level."""
    alerts = [rule for rule in alert_rules() if "alert" in rule]

    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    assert {rule["labels"]["severity"] for rule in alerts} == {"critical", "warning", "info"}
    assert [each for each in alerts if "\n" in each["annotations"]["summary"]] == []
    recorded = {rule["record"] for rule in alert_rules() if "record" in rule}
    used = set(re.findall(r"[a-z_]+:[\w]+:[\w]+", " ".join(rule["expr"] for rule in alerts)))
    assert used == recorded


def test_panels_lie_beside_each_other_and_are_told_apart() -> None:
    """Each with a title and an id of its own, within the 24 columns, none over another."""
    shown = panels()
    cells = [
        (panel["gridPos"]["x"] + column, panel["gridPos"]["y"] + row)
        for panel in shown
        for column in range(panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in shown}) == len({p["title"] for p in shown}) == len(shown)
    assert len(set(cells)) == len(cells)
    assert max(column for column, _ in cells) < 24


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed here")
def test_prometheus_takes_every_expression(tmp_path: Path) -> None:
    """Those of the dashboard as well, with its variables filled in."""
    filled = [
        each.replace("$__rate_interval", "5m").replace("$payer", ".*").replace("$template", ".*")
        for panel in panels()
        for each in (target["expr"] for target in panel["targets"])
    ]
    rules = [{"record": f"panel:{place}", "expr": each} for place, each in enumerate(filled)]
    made = tmp_path / "panels.yml"
    made.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))

    for file in (ALERTS, made):
        subprocess.run(["promtool", "check", "rules", file], check=True, capture_output=True)
