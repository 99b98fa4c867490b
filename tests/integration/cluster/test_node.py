"""A node, its GPUs, its images and what Prometheus sees of its pods."""

import json
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.requests import Server, wait_until

MANAGED = {"app.kubernetes.io/managed-by": "kubetune", "kubetune.io/trial": "7"}


def container(image: str, *command: str, **more: Any) -> dict[str, Any]:
    """A container that never pulls; the tests have no registry."""
    return {
        "name": "trainer",
        "image": image,
        "imagePullPolicy": "Never",
        **({"command": list(command)} if command else {}),
        **more,
    }


def run_pod(cluster: Cluster, namespace: str, name: str, spec: dict[str, Any]) -> None:
    """Makes a pod with the labels of a trial."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": MANAGED},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, **spec},
    }
    cluster.plane.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod)


def pods(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    """All pods of a namespace."""
    return list(cluster.plane.request("GET", f"/api/v1/namespaces/{namespace}/pods")["items"])


def phases(cluster: Cluster, namespace: str) -> list[str]:
    """The phases of all pods, sorted."""
    return sorted(pod["status"]["phase"] for pod in pods(cluster, namespace))


def test_a_third_job_waits_for_a_gpu(cluster: Cluster, cluster_namespace: str) -> None:
    """Two GPUs hold two Jobs; the third is Pending until one ends."""
    sleeper = container(
        "busybox:latest", "sleep", "600", resources={"limits": {"nvidia.com/gpu": 1}}
    )
    template = {
        "metadata": {"labels": MANAGED},
        "spec": {
            "containers": [sleeper],
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
        },
    }
    jobs = f"/apis/batch/v1/namespaces/{cluster_namespace}/jobs"
    for name in ("a", "b", "c"):
        spec = {"backoffLimit": 0, "template": template}
        cluster.plane.request("POST", jobs, {"metadata": {"name": name}, "spec": spec})
    expected = ["Pending", "Running", "Running"]
    wait_until(lambda: phases(cluster, cluster_namespace) == expected, "two Jobs to run")
    waiting, running = sorted(
        pods(cluster, cluster_namespace), key=lambda pod: pod["status"]["phase"]
    )[:2]
    reasons = [condition.get("reason") for condition in waiting["status"]["conditions"]]
    assert reasons == ["Unschedulable"]
    job = running["metadata"]["labels"]["job-name"]
    cluster.plane.request("DELETE", f"{jobs}/{job}?propagationPolicy=Background")
    wait_until(
        lambda: phases(cluster, cluster_namespace) == ["Running", "Running"], "the third to run"
    )


def test_the_trainer_runs_as_nobody(cluster: Cluster, cluster_namespace: str) -> None:
    """The trainer image trains: its result is the pod's termination message, its user not root."""
    parameters = {"hidden": 8, "learning_rate": 0.3, "epochs": 1}
    trainer = container(
        "kubetune-trainer:latest",
        env=[
            {"name": f"KUBETUNE_PARAM_{key}", "value": str(value)}
            for key, value in parameters.items()
        ],
        args=["digits"],
        securityContext={"runAsNonRoot": True, "allowPrivilegeEscalation": False},
    )
    run_pod(cluster, cluster_namespace, "t", {"containers": [trainer]})
    done = ["Succeeded"], ["Failed"]
    wait_until(lambda: phases(cluster, cluster_namespace) in done, "the trainer to end")
    log = cluster.plane.kubectl("logs", "t", "-n", cluster_namespace)
    assert phases(cluster, cluster_namespace) == ["Succeeded"], log
    assert log


def test_a_pods_port_is_reached_and_scraped(cluster: Cluster, cluster_namespace: str) -> None:
    """The host reaches pods; Prometheus adds trial, namespace and pod to their series."""
    answer = "HTTP/1.0 200 OK\\r\\nContent-Type: text/plain\\r\\n\\r\\nanswer 42\\n"
    serve = f"while true; do printf '{answer}' | busybox nc -l -p 9464; done"
    speaker = container(
        "busybox:latest",
        "sh",
        "-c",
        serve,
        ports=[{"name": "metrics", "containerPort": 9464}],
    )
    run_pod(cluster, cluster_namespace, "s", {"containers": [speaker]})
    query = f'answer{{namespace="{cluster_namespace}"}}'
    wait_until(lambda: cluster.prometheus.query(query), "the pod's series")
    (series,) = cluster.prometheus.query(query)
    assert series["value"][1] == "42"
    assert series["metric"]["kubetune_io_trial"] == "7"
    assert series["metric"]["pod"] == "s"
    address = pods(cluster, cluster_namespace)[0]["status"]["podIP"]
    pod = Server(f"http://{address}:9464")
    wait_until(lambda: pod.healthy("/"), "the pod to answer the host")


def test_prometheus_returns_with_its_data(cluster: Cluster) -> None:
    """A test may take Prometheus away and bring it back at the same address."""
    cluster.prometheus.set_targets(cluster.prometheus.url.removeprefix("http://"), role="itself")
    query = 'up{role="itself"} == 1'
    wait_until(lambda: cluster.prometheus.query(query), "a named target")
    cluster.prometheus.stop()
    assert not cluster.prometheus.healthy()
    cluster.prometheus.start()
    assert cluster.prometheus.query('count_over_time(up{role="itself"}[5m])')


def test_a_kubelet_returns_with_its_gpus(cluster: Cluster, cluster_namespace: str) -> None:
    """A kubelet that was away forgets extended resources; the node has them again."""
    cluster.node.stop_kubelet()
    assert not cluster.node.healthy()
    cluster.node.start_kubelet()
    node = cluster.plane.request("GET", f"/api/v1/nodes/{cluster.node.name}")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "2", json.dumps(node["status"])
