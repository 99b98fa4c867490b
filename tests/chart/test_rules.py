"""Alerts and recording rules: what they rest on, when they fire, and that each has its page."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from promql_parser import AggregateExpr, BinaryExpr, VectorSelector
from ruamel.yaml import YAML

from kubetune.adapters.prometheus.families import FAMILIES
from kubetune.domain import samples
from kubetune.domain.reasons import TrialReason
from kubetune.domain.status import Wait
from tests.cluster.fixtures import unavailable
from tests.integration.test_docs import blocks

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "charts" / "kubetune" / "rules"
FILES = sorted(FOLDER.glob("*.yaml"))
CASES = sorted((Path(__file__).parent / "rules").glob("*.yaml"))
RUNBOOK = REPOSITORY / "docs" / "how-to" / "runbook.md"

TARGET = {"namespace", "job", "instance", "pod"}
"""Labels that a scrape adds to whatever it reads."""

POD = {"kubetune_io_study", "kubetune_io_study_uid", "kubetune_io_trial", "kubetune_io_attempt"}
"""Labels that the scrape of a trial takes from its pod."""

OTHERS = {"up": TARGET | POD, samples.STEP: TARGET | POD}
"""What is not the operator's own: nothing of kube-state-metrics is needed."""

WORDS = {
    "phase": {"Pending", "Running", "Unknown"},
    "state": {"Active", "Complete", "Pruned", "Failed", "Infeasible"},
    "reason": {*TrialReason, *Wait},
    "result": {"success", "error"},
    "budget": {"gpuHours", "wallClockSeconds", "trials"},
}
"""What a rule may ask of labels that have a closed set of values."""


def rules(kind: str) -> list[dict[str, Any]]:
    """Every rule of a kind, `alert` or `record`."""
    groups = [group for file in FILES for group in YAML(typ="safe").load(file)["groups"]]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


ALERTS = {rule["alert"]: rule for rule in rules("alert")}
RECORDS = {rule["record"]: rule for rule in rules("record")}


def nodes(expression: str) -> list[Any]:
    """The whole syntax tree of an expression."""
    found: list[Any] = []
    promql_parser.walk(promql_parser.parse(expression), found.append)
    return found


def selectors(expression: str) -> Iterator[VectorSelector]:
    """What an expression selects."""
    return (node for node in nodes(expression) if isinstance(node, VectorSelector))


def declared() -> dict[str, set[str]]:
    """Every metric that a rule may name, with its labels."""
    own = {}
    for family in FAMILIES:
        labels = {*family.labels, *TARGET}
        ends = ("_bucket", "_count", "_sum") if family.kind == "histogram" else ("",)
        own |= {family.name + end: labels | {"le"} for end in ends}
    recorded = {name: {*TARGET, "study", "reason", "state"} for name in RECORDS}
    return own | OTHERS | recorded


def promtool(*words: str | Path) -> str:
    """What promtool prints; a refusal fails the test with its words."""
    program = shutil.which("promtool")
    if program is None:
        unavailable("promtool is missing: make cluster-tools")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_rules() -> None:
    """As they are, without the chart."""
    assert promtool("check", "rules", "--lint-fatal", *FILES).count("SUCCESS") == len(FILES)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("case", CASES, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should_and_not_else(case: Path) -> None:
    """With exactly these labels and words, at these times."""
    assert "SUCCESS" in promtool("test", "rules", case)


@pytest.mark.parametrize("name", ALERTS)
def test_each_alert_is_tested_both_ways(name: str) -> None:
    """Once it fires, once it does not."""
    cases = [
        case["exp_alerts"]
        for file in CASES
        for test in YAML(typ="safe").load(file)["tests"]
        for case in test.get("alert_rule_test", ())
        if case["alertname"] == name
    ]
    assert [] in cases
    assert [case for case in cases if case]


@pytest.mark.parametrize(
    "expression", [each["expr"] for each in (*rules("alert"), *rules("record"))]
)
def test_rules_rest_on_declared_metrics(expression: str) -> None:
    """Their names, labels and values: a rule on a metric that is renamed would fall silent."""
    metrics, asked = declared(), set()
    for selector in selectors(expression):
        asked |= metrics[selector.name]
        for matcher in selector.matchers.matchers:
            assert matcher.name in metrics[selector.name]
            values = set(filter(None, matcher.value.split("|")))
            assert values <= WORDS.get(matcher.name, values)
    for node in nodes(expression):
        modifier = getattr(node, "modifier", None)
        if isinstance(node, AggregateExpr) and modifier:
            assert {*modifier.labels} <= asked
        if isinstance(node, BinaryExpr) and modifier and modifier.matching:
            assert {*modifier.matching.labels} <= asked


def test_an_alert_needs_no_other_file() -> None:
    """Who loads alerts.yaml alone has all of them: what they are made of stands before them."""
    group: list[dict[str, Any]]
    for group in (
        each["rules"] for each in YAML(typ="safe").load(FOLDER / "alerts.yaml")["groups"]
    ):
        known: set[str] = set()
        for rule in group:
            recorded = {each.name for each in selectors(rule["expr"])} & set(RECORDS)
            assert recorded <= known | {rule.get("record")}
            known.add(rule.get("record", ""))


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_is_about(name: str) -> None:
    """Severity, a summary of one line, a description in sentences, and where to read on."""
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert not rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["description"].endswith(".")
    assert rule["annotations"]["runbook"] == f"docs/how-to/runbook.md#{name.lower()}"
    assert "for" in rule


def test_the_runbook_has_a_section_for_each_alert() -> None:
    """In the rules' order, each with what it means, how to look and what to do."""
    parts = re.split(r"^## (.+)\n", RUNBOOK.read_text(), flags=re.MULTILINE)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    assert list(sections) == list(ALERTS)
    for text in sections.values():
        assert re.findall(r"^\*\*(.*?)\*\*", text, re.MULTILINE) == ["It means", "Look", "Do"]


def test_the_runbook_s_queries_rest_on_declared_metrics() -> None:
    """They can be pasted into Prometheus."""
    queries = [text for head, text in blocks(RUNBOOK) if head.startswith("promql ")]
    assert queries
    assert {each.name for query in queries for each in selectors(query)} <= set(declared())
