"""Who may make a study, change it, stop it: the chart's policy on a real API server.

Each rule by what somebody is told who may write studies, in namespaces where more or less beside
that is allowed.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import admission, users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.helm import rendered
from tests.cluster.operators import grant
from tests.cluster.requests import Refused
from tests.integration.operator.people import (
    APPLY,
    House,
    furnished,
    said,
    studies_of,
    study,
)
from tests.integration.operator.stage import MERGE

QUEUE = "kueue.x-k8s.io/queue-name"


@pytest.fixture(scope="module")
def house(studies: ControlPlane) -> Iterator[House]:
    """One for all tests here."""
    with furnished(studies) as house:
        yield house


def no_jobs(namespace: str) -> str:
    """What somebody is told who may not create Jobs."""
    return (
        f"user 'alice' may not create Jobs in namespace '{namespace}' (verb create, resource"
        " jobs.batch), and a study creates them in that user's stead. Ask an administrator of the"
        " namespace for that right, which the role edit has, or make the study where 'kubectl auth"
        " can-i create jobs' says yes. To suspend or delete a study takes no right to Jobs"
    )


def no_account(namespace: str, account: str) -> str:
    """What somebody is told who may not act as a service account."""
    return (
        f"user 'alice' may not act as service account '{account}' in namespace '{namespace}' (verb"
        " impersonate, resource serviceaccounts), which spec.trialTemplate.spec.serviceAccountName"
        " gives to every trial. Leave serviceAccountName out, or ask an administrator of the"
        " namespace for that right, which the role edit has"
    )


def test_the_server_has_nothing_against_the_policy(house: House) -> None:
    """No expression of it is of a wrong type."""
    assert house.policy["status"]["typeChecking"] == {}


def test_the_chart_has_the_policy_as_it_stands() -> None:
    """With the release's namespace in it, and in force: what is refused is not only noted."""
    found = {one["kind"]: one for one in rendered(namespace="tuners")}
    assert found["ValidatingAdmissionPolicy"]["spec"] == admission.spec("tuners")
    binding = found["ValidatingAdmissionPolicyBinding"]["spec"]
    assert binding["policyName"] == found["ValidatingAdmissionPolicy"]["metadata"]["name"]
    assert binding["validationActions"] == ["Deny"]


@pytest.mark.parametrize("way", ["create", "apply", "generateName", "suspended"])
def test_a_study_needs_the_right_to_create_jobs(house: House, way: str) -> None:
    """However it is made; who is refused is told which right is missing, where, and what to do."""
    body = study(way.lower(), suspend=way == "suspended")
    if way == "generateName":
        body["metadata"] = {"generateName": "study-"}
    method, kind = ("PATCH", APPLY) if way == "apply" else ("POST", "application/json")
    tail = f"/{way}?fieldManager=alice" if way == "apply" else ""

    def make(namespace: str) -> None:
        house.ask(method, f"{studies_of(namespace)}{tail}", body, kind)

    with pytest.raises(Refused) as refused:
        make(house.guests)
    assert (refused.value.status, said(refused.value)) == (403, no_jobs(house.guests))
    make(house.team)


def test_kubectl_says_it_too(house: House) -> None:
    """The words are what a person sees, and nothing was made."""
    where = ("-n", house.guests, "-f", "-")
    told = house.plane.kubectl(
        "create", *where, stdin=json.dumps(study("seen")), user="alice", check=False
    )
    assert no_jobs(house.guests) in told
    assert "No resources" in house.plane.kubectl("get", "tstudy", "-n", house.guests, check=False)


POD: dict[str, Any] = {"spec": {"trialTemplate": {"spec": {"hostNetwork": True}}}}
STARTS: dict[str, tuple[bool, dict[str, Any]]] = {
    "resume": (True, {"spec": {"suspend": False}}),
    "more trials": (False, {"spec": {"trials": {"max": 9}}}),
    "fewer trials": (False, {"spec": {"trials": {"parallelism": 1}}}),
    "another pod": (False, POD),
    "another pod of a suspended one": (True, POD),
    "another pod that waits": (False, {"spec": {"suspend": True, **POD["spec"]}}),
    "another field": (
        False,
        {"spec": {"guards": [{"name": "g", "when": "step > 1.0", "outcome": "Pruned"}]}},
    ),
    "a field less": (False, {"spec": {"sampler": None}}),
    "another queue": (False, {"metadata": {"labels": {QUEUE: "first"}}}),
    "no queue": (False, {"metadata": {"labels": {QUEUE: None}}}),
    "no labels": (False, {"metadata": {"labels": None}}),
    "a higher priority": (
        False,
        {"metadata": {"labels": {"kueue.x-k8s.io/priority-class": "first"}}},
    ),
    "another queue as it stops": (
        False,
        {"spec": {"suspend": True}, "metadata": {"labels": {QUEUE: "first"}}},
    ),
}
"""What may start other Jobs, or the same ones elsewhere: whether it is suspended, and a change."""

HARMLESS: dict[str, tuple[bool, dict[str, Any]]] = {
    "suspend": (False, {"spec": {"suspend": True}}),
    "suspend again": (True, {"spec": {"suspend": True}}),
    "annotate": (False, {"metadata": {"annotations": {"note": "mine"}}}),
    "label": (False, {"metadata": {"labels": {"team": "vision"}}}),
    "let go": (False, {"metadata": {"finalizers": []}}),
    "nothing": (False, {"spec": {"trials": {"max": 3}}}),
}


def made(house: House, namespace: str, *, suspended: bool) -> str:
    """A study that somebody else has made; its name."""
    body = study(labels={QUEUE: "gpus"}, suspend=suspended, trials={"max": 3, "parallelism": 2})
    body["metadata"] |= {"generateName": "theirs-", "name": ""}
    body["metadata"]["finalizers"] = ["kubetune.io/test"]
    name: str = house.plane.request("POST", studies_of(namespace), body)["metadata"]["name"]
    return name


@pytest.fixture
def free(house: House) -> Iterator[None]:
    """Lets all studies of the test go."""
    yield
    for namespace in (house.guests, house.team):
        for found in house.plane.request("GET", studies_of(namespace))["items"]:
            path = f"{studies_of(namespace)}/{found['metadata']['name']}"
            house.plane.request("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
            house.plane.request("DELETE", path)


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("change", STARTS)
def test_a_change_needs_it_as_well(house: House, change: str) -> None:
    """Whoever else made the study: the spec and the queue's labels are what Jobs are made of."""
    suspended, patch = STARTS[change]
    name = made(house, house.guests, suspended=suspended)
    with pytest.raises(Refused) as refused:
        house.patch(house.guests, name, patch)
    assert (refused.value.status, said(refused.value)) == (403, no_jobs(house.guests))
    house.patch(house.team, made(house, house.team, suspended=suspended), patch)


@pytest.mark.usefixtures("free")
@pytest.mark.parametrize("change", HARMLESS)
def test_what_starts_nothing_needs_nothing_else(house: House, change: str) -> None:
    """Whoever may change studies may stop them, and write beside them."""
    suspended, patch = HARMLESS[change]
    house.patch(house.guests, made(house, house.guests, suspended=suspended), patch)


@pytest.mark.usefixtures("free")
def test_a_study_can_always_be_deleted(house: House) -> None:
    """By whoever may delete studies; its finalizers are theirs to take away."""
    path = f"{studies_of(house.guests)}/{made(house, house.guests, suspended=False)}"
    house.ask("DELETE", path)
    house.ask("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
    with pytest.raises(Refused) as gone:
        house.ask("GET", path)
    assert gone.value.status == 404


ACCOUNTS: dict[str, dict[str, Any]] = {
    "by its field": {"serviceAccountName": "trainer"},
    "by the field's old name": {"serviceAccount": "trainer"},
    "by the old name beside an empty one": {"serviceAccountName": "", "serviceAccount": "trainer"},
    "by both": {"serviceAccountName": "trainer", "serviceAccount": "default"},
}


@pytest.mark.parametrize("way", ACCOUNTS)
def test_an_account_is_for_those_who_may_act_as_it(house: House, way: str) -> None:
    """However it is named, and as the Job would have it; `edit` has that right for all of them."""
    body = study(pod=ACCOUNTS[way])
    with pytest.raises(Refused) as refused:
        house.create(house.team, body, dry=True)
    assert (refused.value.status, said(refused.value)) == (403, no_account(house.team, "trainer"))
    for allowed in (house.lab, house.office):
        house.create(allowed, body, dry=True)
    pod = {"containers": [{"name": "c", "image": "none"}], "restartPolicy": "Never"}
    job = {"metadata": {"name": "plain"}, "spec": {"template": {"spec": pod | ACCOUNTS[way]}}}
    jobs = f"/apis/batch/v1/namespaces/{house.team}/jobs?dryRun=All"
    seen = house.ask("POST", jobs, job)["spec"]["template"]["spec"]
    assert seen["serviceAccountName"] == "trainer"


@pytest.mark.parametrize(
    "pod", [{"serviceAccountName": "default"}, {"serviceAccount": "default"}, {}]
)
def test_the_default_account_is_for_everybody(house: House, pod: dict[str, Any]) -> None:
    """It is what a Job gets that names none."""
    house.create(house.team, study(pod=pod), dry=True)


def test_an_account_by_name_is_that_one_only(house: House) -> None:
    """A right to act as one is none to act as another."""
    with pytest.raises(Refused) as refused:
        house.create(house.lab, study(pod={"serviceAccountName": "boss"}), dry=True)
    assert said(refused.value) == no_account(house.lab, "boss")


@pytest.mark.usefixtures("free")
def test_who_changes_a_study_answers_for_its_account(house: House) -> None:
    """An account that somebody else has given to it starts no more trials by a third hand."""
    path = studies_of(house.team)
    house.plane.request("POST", path, study("theirs", pod={"serviceAccountName": "boss"}))
    with pytest.raises(Refused) as refused:
        house.patch(house.team, "theirs", {"spec": {"trials": {"max": 9}}})
    assert said(refused.value) == no_account(house.team, "boss")
    house.patch(house.team, "theirs", {"spec": {"suspend": True}})


@pytest.mark.parametrize("odd", [7, True, ["trainer"], {"name": "trainer"}, None])
@pytest.mark.parametrize("field", ["serviceAccountName", "serviceAccount"])
def test_an_account_of_another_kind_opens_nothing(house: House, field: str, odd: object) -> None:
    """The template takes any value: what is no text is refused, and null counts as nothing."""
    body = study(pod={field: odd})
    if odd is None:
        house.create(house.team, body, dry=True)
        return
    with pytest.raises(Refused) as refused:
        house.create(house.team, body, dry=True)
    assert "serviceAccountName is no text" in said(refused.value)


def test_no_study_is_beside_the_operator(house: House) -> None:
    """Not even the administrator's: its trials could use the operator's account and secrets."""
    words = (
        f"namespace '{house.operators}' is the operator's own: its trials could use the operator's"
        " account and secrets. Make the study in another namespace"
    )
    for user in ("alice", users.ADMIN):
        with pytest.raises(Refused) as refused:
            house.plane.server(user).json("POST", studies_of(house.operators), study())
        assert (refused.value.status, said(refused.value)) == (403, words)


def test_the_largest_study_costs_no_more_than_the_server_allows(house: House) -> None:
    """A spec of a megabyte is compared with what it was, in full."""
    large = study("large", fixed={f"value_{n}": "x" * 4000 for n in range(100)})
    containers = large["spec"]["trialTemplate"]["spec"]["containers"]
    containers[0]["env"] = [{"name": f"E{n}", "value": "y" * 2000} for n in range(250)]
    assert len(json.dumps(large)) > 800_000
    house.create(house.team, large)
    house.patch(house.team, "large", {"spec": {"suspend": True}})
    house.patch(house.team, "large", {"spec": {"suspend": False}})


@pytest.mark.usefixtures("free")
def test_the_operator_writes_status_without_an_exemption(house: House) -> None:
    """It may write nothing else, and the status is not what the policy looks at."""
    grant(house.plane)
    house.create(house.team, study("told"))
    path = f"{studies_of(house.team)}/told/status"
    body = {"status": {"phase": "Running"}}
    house.plane.server(users.OPERATOR).json("PATCH", path, body, MERGE)
