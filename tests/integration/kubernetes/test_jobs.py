"""Jobs as the API server takes or refuses them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from kubetune.adapters.kubernetes.api import Api, ApiRefused
from kubetune.adapters.kubernetes.job import StudyObject, render
from kubetune.adapters.kubernetes.rehearsal import dry_run
from kubetune.domain.study import InitialTrial
from tests.unit.adapters.kubernetes.orders import GOLDEN, make_order

STRICT = {"dryRun": "All", "fieldValidation": "Strict"}


@pytest.mark.parametrize("name", GOLDEN)
async def test_the_server_takes_every_reviewed_job(name: str, api: Api, study: StudyObject) -> None:
    """What the golden files show is a Job, with no field that the server does not know."""
    order, owner = GOLDEN[name]
    body = render(order, replace(owner, namespace=study.namespace))
    made = await api.request("POST", study.jobs_path, query=STRICT, body=body)
    assert made["spec"]["template"]["spec"]["restartPolicy"] == "Never"


async def test_a_good_template_is_rehearsed_in_silence(api: Api, study: StudyObject) -> None:
    """A template that makes a Job brings no words, and no Job."""
    initial = InitialTrial(name="first", parameters={"x": 0.1})
    order = make_order({"args": ["$(KUBETUNE_PARAM_x)"]}, initial_trials=(initial,))
    assert await dry_run(api, order.spec, study) is None
    assert (await api.request("GET", study.jobs_path))["items"] == []


@pytest.mark.parametrize(
    ("container", "pod", "words"),
    [
        ({"imagee": "typo"}, {}, 'unknown field "spec.template.spec.containers[0].imagee"'),
        ({"resources": {"limits": {"cpu": "many"}}}, {}, "quantities must match"),
        ({"volumeMounts": [{"name": "data", "mountPath": "/d"}]}, {}, "volumeMounts[0].name"),
        ({}, {"dnsPolicy": "Nowhere"}, 'dnsPolicy: Unsupported value: "Nowhere"'),
        ({"image": ""}, {}, "image: Required value"),
    ],
)
async def test_a_bad_template_is_told_in_the_servers_words(
    container: dict[str, Any], pod: dict[str, Any], words: str, api: Api, study: StudyObject
) -> None:
    """What the server would say of every trial's Job is known before the first one."""
    said = await dry_run(api, make_order(container, pod=pod).spec, study)
    assert said is not None
    assert words in said


async def test_a_full_quota_is_no_fault_of_a_template(
    api: Api, study: StudyObject, world: Api
) -> None:
    """A quota passes: it makes no study invalid."""
    await make_quota(world, study.namespace)
    assert await dry_run(api, make_order().spec, study) is None


async def make_quota(world: Api, namespace: str) -> None:
    """Allows no Job in the namespace, from now on."""
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"count/jobs.batch": "0"}},
    }
    await world.request("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", body=quota)
    async with asyncio.timeout(60):
        while not await _is_full(world, namespace):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)


async def _is_full(world: Api, namespace: str) -> bool:
    study = StudyObject(name="quota", namespace=namespace, uid="uid")
    body = render(make_order(), study)
    try:
        await world.request("POST", study.jobs_path, query=STRICT, body=body)
    except ApiRefused as error:
        return "exceeded quota" in error.message
    return False
