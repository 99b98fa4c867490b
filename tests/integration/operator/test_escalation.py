"""What somebody with a study tries to reach that a Job of their own would not reach.

Alice may write studies, and create Jobs in the namespace `team`. Each attempt is refused, or comes
to what her plain Job with the same pod comes to, which stands beside it. Attempts that end at the
policy are in `test_admission.py`, those with names and labels of others in `test_hostile.py`.
"""

import re
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import OperatorProcess, grant, running
from tests.cluster.requests import Refused, wait_until
from tests.integration.operator.people import furnished, said, studies_of
from tests.integration.operator.scene import QUICK, Listener, Scene
from tests.integration.operator.stage import MERGE, Study, below, completes, played

TRAINER = {
    "name": "trainer",
    "image": "none",
    "ports": [{"name": "metrics", "containerPort": 9464}],
}


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[str, list[str]]]:
    """A Prometheus' address and its notes."""
    notes: list[str] = []
    handler = type("Notes", (Listener,), {"asked": notes})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", notes
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def stage(
    studies: ControlPlane, asked: tuple[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    """One for all attempts; the operator has the rights of the chart, and asks for no other."""
    grant(studies)
    folder = tmp_path_factory.mktemp("operator")
    with furnished(studies) as house:
        operator = OperatorProcess(
            studies,
            folder,
            namespaces=[house.team, house.lab, house.office],
            prometheus=asked[0],
            options=["--resync-seconds=1", f"--own-namespace={house.operators}"],
        )
        with running(operator), played(studies, house.team) as play:
            yield Scene(house=house, operator=operator, play=play, asked=asked[1])


@pytest.fixture
def scene(stage: Scene) -> Scene:
    """The same, with trials that complete at once."""
    stage.play.script = completes
    return stage


NODES: dict[str, dict[str, Any]] = {
    "privileged": {"containers": [{**TRAINER, "securityContext": {"privileged": True}}]},
    "host-files": {
        "containers": [TRAINER],
        "volumes": [{"name": "root", "hostPath": {"path": "/"}}],
    },
    "host-network": {"containers": [TRAINER], "hostNetwork": True},
    "host-processes": {"containers": [TRAINER], "hostPID": True},
    "host-port": {"containers": [{**TRAINER, "ports": [{**TRAINER["ports"][0], "hostPort": 1}]}]},
    "capability": {
        "containers": [{**TRAINER, "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]
    },
    "init-container": {
        "containers": [TRAINER],
        "initContainers": [
            {"name": "first", "image": "none", "securityContext": {"privileged": True}}
        ],
    },
    "as-root": {
        "containers": [{**TRAINER, "securityContext": {"runAsUser": 0}}],
    },
}
"""Pods that reach for their node."""


def test_a_node_is_out_of_reach(scene: Scene) -> None:
    """Pod Security Admission sees the pods of a study: it refuses them as it refuses a Job's."""
    namespace = scene.house.lab
    level = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    scene.plane.request("PATCH", f"/api/v1/namespaces/{namespace}", level, MERGE)
    made = {
        name: scene.study(name, namespace=namespace, trialTemplate={"spec": pod})
        for name, pod in NODES.items()
    }
    plain = {
        name: scene.job(f"plain-{name}", pod, namespace=namespace) for name, pod in NODES.items()
    }
    for name, study in made.items():
        study.until(lambda study=study: study.jobs, "its Job")
        (job,) = study.jobs
        words = scene.refusal(job["metadata"]["uid"], namespace)
        assert "violates PodSecurity" in words
        assert words == scene.refusal(plain[name], namespace)
        assert "its Job has no pod yet" in study.active[0]["waiting"]
    assert not scene.plane.request("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]


FIELDS: dict[str, dict[str, Any]] = {
    "ephemeral containers": {"ephemeralContainers": [{"name": "late", "image": "none"}]},
    "another namespace": {"namespace": "kube-system"},
    "another's secret": {
        "containers": [
            {
                **TRAINER,
                "env": [
                    {
                        "name": "STOLEN",
                        "valueFrom": {
                            "secretKeyRef": {"name": "s", "key": "k", "namespace": "kube-system"}
                        },
                    }
                ],
            }
        ]
    },
    "no controller": {"restartPolicy": "Always", "hostUsers": "no"},
}
"""Pods that a Job's template cannot be."""


@pytest.mark.parametrize("attempt", FIELDS)
def test_what_no_job_takes_no_study_takes(scene: Scene, attempt: str) -> None:
    """In the words that a plain Job would get, before any trial."""
    pod = {"containers": [TRAINER], **FIELDS[attempt]}
    study = scene.study(attempt.replace(" ", "-").replace("'", ""), trialTemplate={"spec": pod})
    study.until(lambda: study.status.get("phase") == "Invalid", "it to be refused")
    body = {
        "metadata": {"name": "plain"},
        "spec": {"template": {"spec": {"restartPolicy": "Never", **pod}}},
    }
    jobs = f"/apis/batch/v1/namespaces/{scene.house.team}/jobs?fieldValidation=Strict"
    with pytest.raises(Refused):
        scene.house.ask("POST", jobs, body)
    assert not study.jobs
    assert study.condition("Valid")[1].startswith("spec.trialTemplate: ")


def test_a_template_s_metadata_is_labels_and_annotations(scene: Scene) -> None:
    """Its pod is beside the study, belongs to the study's Job, and goes when that goes."""
    metadata = {
        "name": "kube-proxy",
        "namespace": "kube-system",
        "generateName": "kube-",
        "finalizers": ["kubetune.io/stays"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}],
        "annotations": {"note": "mine"},
    }
    more = {"backoffLimit": 9, "managedBy": "else.where/queue", "manualSelector": True}
    template = {"metadata": metadata, "spec": {"containers": [TRAINER]}, **more}
    scene.play.script = below(0)
    study = scene.study("metadata", trialTemplate=template)
    study.until(lambda: study.jobs, "its Job")
    (job,) = study.jobs
    assert (job["metadata"]["namespace"], job["spec"]["backoffLimit"]) == (scene.house.team, 0)
    assert ("managedBy" in job["spec"], job["spec"]["manualSelector"]) == (False, False)
    meta = scene.pod(job["metadata"]["uid"])["metadata"]
    assert meta["name"].startswith(f"{job['metadata']['name']}-")
    assert meta["namespace"] == scene.house.team
    assert [owner["uid"] for owner in meta["ownerReferences"]] == [job["metadata"]["uid"]]
    assert "kubetune.io/stays" not in meta.get("finalizers", ())
    assert meta["annotations"]["note"] == "mine"
    study.delete()


def test_nobody_s_trial_is_another_s(scene: Scene) -> None:
    """Labels of another study in the template are overwritten: it does not count such a pod."""
    scene.play.script = below(0)
    victim = scene.study("victim")
    victim.until(lambda: victim.running == [0], "its trial to run")
    labels = {
        "app.kubernetes.io/managed-by": "Helm",
        "kubetune.io/study": "victim",
        "kubetune.io/study-uid": victim.uid,
        "kubetune.io/trial": "0",
        "kubetune.io/attempt": "1",
        "mine": "kept",
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [TRAINER]}}
    forger = scene.study("forger", labels=labels, trialTemplate=template)
    forger.until(lambda: forger.running == [0], "its trial to run")
    (job,) = forger.jobs
    given = scene.pod(job["metadata"]["uid"])["metadata"]["labels"]
    assert given["kubetune.io/study-uid"] == job["metadata"]["labels"]["kubetune.io/study-uid"]
    assert given["kubetune.io/study-uid"] == forger.uid
    assert (given["mine"], given["app.kubernetes.io/managed-by"]) == ("kept", "kubetune")
    scene.play.script = lambda part: completes(part) if part.study == "forger" else None
    forger.finish()
    assert victim.running == [0]
    victim.delete()


@pytest.mark.parametrize("mounted", [None, True])
def test_a_trial_has_no_token_that_a_job_has_not(scene: Scene, mounted: bool | None) -> None:
    """None at all unless it is asked for, and then the default account's, as a plain Job has."""
    pod: dict[str, Any] = {"containers": [TRAINER]}
    if mounted is not None:
        pod["automountServiceAccountToken"] = mounted
    scene.play.script = below(0)
    name = f"token-{'asked' if mounted else 'not'}"
    study = scene.study(name, trialTemplate={"spec": pod})
    study.until(lambda: study.jobs, "its Job")
    theirs = scene.pod(study.jobs[0]["metadata"]["uid"])["spec"]
    plain = scene.pod(scene.job(f"plain-{name}", pod))["spec"]
    assert theirs["serviceAccountName"] == plain["serviceAccountName"] == "default"
    assert [sorted(one.keys()) for one in plain["volumes"]] == [["name", "projected"]]
    sources = [one["projected"]["sources"] for one in theirs.get("volumes", ())]
    assert sources == ([one["projected"]["sources"] for one in plain["volumes"]] if mounted else [])
    study.delete()


def test_a_priority_is_what_a_job_s_is(scene: Scene) -> None:
    """Whoever may jump the queue with a Job may with a study, and nobody else."""
    pod = {"containers": [TRAINER], "priorityClassName": "system-node-critical"}
    scene.play.script = below(0)
    study = scene.study("priority", trialTemplate={"spec": pod})
    study.until(lambda: study.jobs, "its Job")
    theirs = scene.pod(study.jobs[0]["metadata"]["uid"])["spec"]
    plain = scene.pod(scene.job("plain-priority", pod))["spec"]
    assert theirs["priority"] == plain["priority"]
    study.delete()
    none = {"containers": [TRAINER], "priorityClassName": "no-such-class"}
    study = scene.study("no-priority", trialTemplate={"spec": none})
    study.until(lambda: study.jobs, "its Job")
    words = scene.refusal(study.jobs[0]["metadata"]["uid"], scene.house.team)
    assert words == scene.refusal(scene.job("plain-no-priority", none), scene.house.team)
    study.delete()


def test_a_quota_holds_for_the_operator_too(scene: Scene) -> None:
    """It counts in the namespace, whoever creates: the study has as many Jobs as are left."""
    namespace = scene.house.office
    quotas = f"/api/v1/namespaces/{namespace}/resourcequotas"
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {"count/jobs.batch": "1"}}}
    scene.plane.request("POST", quotas, quota)
    wait_until(
        lambda: scene.plane.request("GET", f"{quotas}/few").get("status", {}).get("hard"),
        "the quota to count",
    )
    study = scene.study("many", namespace=namespace, trials={"max": 4, "parallelism": 4})
    study.until(lambda: "exceeded quota" in str(study.status), "word of the quota")
    assert len(study.jobs) == 1
    with pytest.raises(Refused) as refused:
        scene.job("plain", {"containers": [TRAINER]}, namespace=namespace)
    assert "exceeded quota" in str(refused.value)
    study.delete()
    scene.plane.request("DELETE", f"{quotas}/few")


@pytest.mark.parametrize("name", ["{other}/theirs", "../{other}/theirs", "{other}%2Ftheirs"])
def test_a_warm_start_names_no_other_namespace(scene: Scene, name: str) -> None:
    """A name of a study holds no way out of the namespace."""
    written = name.format(other=scene.house.office)
    with pytest.raises(Refused) as refused:
        scene.study("bold", warmStart={"studies": [{"name": written}]})
    assert refused.value.status == 422
    assert "warmStart.studies" in str(refused.value)


def test_a_warm_start_finds_nothing_of_another_namespace(scene: Scene) -> None:
    """A study of the same database that has the name, elsewhere, is none."""
    with played(scene.plane, scene.house.office):
        theirs = Study(scene.plane, scene.house.office, "theirs", trials=QUICK)
        assert theirs.finish()["trials"]["complete"] == 1
    study = scene.study("curious", warmStart={"studies": [{"name": "theirs"}]})
    study.until(lambda: study.status.get("phase") == "Invalid", "it to be refused")
    assert "no study 'theirs' is stored here" in study.condition("Valid")[1]


def test_a_query_leaves_the_namespace_nowhere(scene: Scene) -> None:
    """Prometheus is asked with the operator's rights, and for series of the study's namespace."""
    other = scene.house.office
    promql = (
        f'max by (pod) (loot{{namespace="{other}"}}) or on (pod) loot'
        ' or sum by (pod) (rate(loot{namespace=~".+"}[5m]))'
        f' or loot{{namespace!="{scene.house.team}"}}'
    )
    query = {"name": "loot", "promQL": promql}
    scene.play.script = below(0)
    study = scene.study("query", metrics={"intervalSeconds": 0.5, "queries": [query]})
    wait_until(lambda: any("loot" in one for one in scene.asked), "the query to be asked")
    study.delete()
    found = [one for asked in scene.asked for one in re.findall(r"loot(\{[^}]*\})?", asked)]
    assert found
    assert all(f'namespace="{scene.house.team}"' in one for one in found)


def test_results_are_written_beside_everything_else(scene: Scene) -> None:
    """The operator may apply ConfigMaps: it makes the study's own and touches no other."""
    path = f"/api/v1/namespaces/{scene.house.team}/configmaps"
    mine = {"metadata": {"name": "kube-results"}, "data": {"summary.json": "theirs"}}
    scene.plane.request("POST", path, mine)

    def versions() -> dict[str, str]:
        metas = (item["metadata"] for item in scene.plane.request("GET", path)["items"])
        return {meta["name"]: meta["resourceVersion"] for meta in metas}

    before = versions()
    study = scene.study("kube")
    study.finish()
    after = versions()
    assert before.items() <= after.items()
    new = after.keys() - before.keys()
    assert f"kube-{study.uid[:6]}-results" in new
    assert all(name.endswith("-results") for name in new)


def test_a_study_of_another_namespace_is_not_hers(scene: Scene) -> None:
    """What the body says counts for nothing, and her rights end where they end."""
    body = {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": "out", "namespace": "kube-system"},
    }
    for namespace, status in ((scene.house.team, 400), ("kube-system", 403)):
        with pytest.raises(Refused) as refused:
            scene.house.ask("POST", studies_of(namespace), body)
        assert refused.value.status == status


def test_a_status_is_the_operator_s(scene: Scene) -> None:
    """People may not write it; and through it neither spec nor labels change for anybody."""
    study = scene.study("told")
    study.finish()
    path = f"{studies_of(scene.house.team)}/told/status"
    change = {
        "metadata": {"labels": {"kueue.x-k8s.io/queue-name": "first"}},
        "spec": {"trialTemplate": {"spec": {"hostNetwork": True}}, "trials": {"max": 99}},
        "status": {"phase": "Running"},
    }
    with pytest.raises(Refused) as refused:
        scene.house.ask("PATCH", path, change, MERGE)
    assert refused.value.status == 403
    assert 'cannot patch resource "tuningstudies/status"' in said(refused.value)
    before = study.resource
    scene.plane.request("PATCH", path, change, MERGE)
    after = study.resource
    assert after["spec"] == before["spec"]
    assert after["metadata"].get("labels") == before["metadata"].get("labels")
