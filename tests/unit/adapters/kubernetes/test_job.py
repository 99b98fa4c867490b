"""The Job of a trial, field by field: `KUBETUNE_GOLDEN=write` writes the files anew."""

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from kubetune.adapters.kubernetes.job import render
from kubetune.domain import contract
from kubetune.domain.study import TrialPolicy
from tests.unit.adapters.kubernetes.orders import GOLDEN, STUDY, make_order

FOLDER = Path(__file__).parents[3] / "golden" / "jobs"


@pytest.mark.parametrize("name", GOLDEN)
def test_a_job_is_sent_as_reviewed(name: str) -> None:
    """What is sent to the cluster changes only where somebody has seen the change."""
    path = FOLDER / f"{name}.json"
    made = json.dumps(render(*GOLDEN[name]), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("KUBETUNE_GOLDEN") == "write":
        path.write_text(made)
    assert made == path.read_text()


def test_the_template_stays_as_it_is() -> None:
    """A study's template serves all its trials: none of them may change it."""
    order = make_order({"env": [{"name": "A", "value": "b"}]}, checkpoint_claim="claim")
    before = copy.deepcopy(dict(order.spec.template))
    render(order, STUDY)
    assert order.spec.template == before


def test_a_pods_own_limit_counts_when_it_is_lower() -> None:
    """Neither limit takes the other's place."""
    policy = TrialPolicy(max=1, timeout_seconds=0.2)
    assert _pod(make_order(trials=policy))["activeDeadlineSeconds"] == 1
    policy = TrialPolicy(max=1, timeout_seconds=100)
    own = make_order(pod={"activeDeadlineSeconds": 60}, trials=policy)
    assert _pod(own)["activeDeadlineSeconds"] == 60
    own = make_order(pod={"activeDeadlineSeconds": 600}, trials=policy)
    assert _pod(own)["activeDeadlineSeconds"] == 100


@pytest.mark.parametrize(
    ("cores", "threads"),
    [(2, "2"), ("3.5", "4"), ("500m", "1"), ("1500m", "2"), (None, None), ("many", None)],
)
def test_as_many_threads_as_cores(cores: object, threads: str | None) -> None:
    """Libraries count the node's cores, whatever the limit is, and are throttled then."""
    limits = {} if cores is None else {"resources": {"limits": {"cpu": cores}}}
    env = _pod(make_order(limits))["containers"][0]["env"]
    found = {entry["name"]: entry["value"] for entry in env}
    assert {found.get(name) for name in contract.THREADS} == {threads}


def test_a_studys_own_threads_count() -> None:
    """Who says how many threads there are is not told otherwise."""
    own = {"name": "OMP_NUM_THREADS", "value": "7"}
    order = make_order({"env": [own], "resources": {"limits": {"cpu": 2}}})
    env = _pod(order)["containers"][0]["env"]
    assert [entry for entry in env if entry["name"] == own["name"]] == [own]


def test_a_slow_image_shortens_no_trial() -> None:
    """The kubelet's clock runs while an image is pulled: as long as a trial may wait for it."""
    policy = TrialPolicy(max=1, timeout_seconds=100, pending_timeout_seconds=600)
    assert _pod(make_order(trials=policy))["activeDeadlineSeconds"] == 700


@pytest.mark.parametrize(
    ("attempt", "claim", "resume"),
    [(1, None, False), (2, None, True), (1, "claim", True), (2, "claim", True)],
)
def test_an_attempt_resumes_where_there_may_be_a_checkpoint(
    attempt: int, claim: str | None, resume: bool
) -> None:
    """A trainer that is not to resume throws its folder away: a Job may be started twice."""
    order = make_order(trial={"attempt": attempt}, checkpoint_claim=claim)
    assert json.loads(_variables(order)["KUBETUNE_TRIAL"])["resume"] is resume


def test_the_contract_comes_before_the_studys_own_variables() -> None:
    """`$(KUBETUNE_PARAM_x)` in a study's own variable refers to an earlier one, as it must."""
    order = make_order({"env": [{"name": "RATE", "value": "$(KUBETUNE_PARAM_x)"}]})
    assert list(_variables(order))[-1] == "RATE"


@pytest.mark.parametrize(
    "name", ["KUBETUNE_TRIAL", "KUBETUNE_PARAM_x", "KUBETUNE_PARAM_y", "KUBETUNE_CHECKPOINT_DIR"]
)
def test_nobody_speaks_for_the_contract(name: str) -> None:
    """A study's own variable cannot stand in for one that the contract gives or withholds."""
    own = make_order({"env": [{"name": name, "value": "forged"}]})
    assert _variables(own) == _variables(make_order())


@pytest.mark.parametrize(
    "template",
    [
        {},
        {"spec": None},
        {"spec": {"containers": None}},
        {
            "metadata": 3,
            "spec": {"containers": [None, {"name": "trainer", "env": 3, "ports": "x"}]},
        },
        {"spec": {"containers": [{"name": "trainer", "resources": {"limits": []}}]}},
    ],
)
def test_what_is_no_pod_is_left_to_the_server(template: dict[str, Any]) -> None:
    """A template that makes no pod is rendered all the same: the server says what is wrong."""
    order = make_order()
    object.__setattr__(order.spec, "template", template)
    assert render(order, STUDY)["kind"] == "Job"


def _pod(order: Any) -> dict[str, Any]:
    pod: dict[str, Any] = render(order, STUDY)["spec"]["template"]["spec"]
    return pod


def _variables(order: Any) -> dict[str, str]:
    trainer = next(each for each in _pod(order)["containers"] if each["name"] == "trainer")
    return {entry["name"]: entry["value"] for entry in trainer["env"]}
