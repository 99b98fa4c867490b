"""Somebody with rights of a tuner, an operator that follows her studies, and what both lead to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import OperatorProcess
from tests.cluster.requests import wait_until
from tests.integration.operator.people import ALICE, House
from tests.integration.operator.stage import Play, Study

EMPTY = b'{"status": "success", "data": {"resultType": "vector", "result": []}}'
QUICK = {"max": 1, "parallelism": 1}


class Listener(BaseHTTPRequestHandler):
    """A Prometheus without series, which notes what it is asked."""

    asked: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked += parse_qs(body.decode()).get("query", [])
        self.send_response(200)
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A house with an operator, Prometheus' notes of what it asked, and pods that are played."""

    house: House
    operator: OperatorProcess
    play: Play
    asked: list[str] = field(default_factory=list)

    @property
    def plane(self) -> ControlPlane:
        """The control plane."""
        return self.house.plane

    def study(self, name: str, *, namespace: str = "", **spec: Any) -> Study:
        """A study of hers, in `team` unless told otherwise."""
        where = namespace or self.house.team
        return Study(self.plane, where, name, user=ALICE, **({"trials": QUICK} | spec))

    def job(self, name: str, pod: Mapping[str, Any], *, namespace: str = "") -> str:
        """A plain Job of hers with this pod; its uid."""
        spec = {"restartPolicy": "Never", **pod}
        body = {
            "metadata": {"name": name},
            "spec": {"template": {"spec": spec}, "backoffLimit": 0},
        }
        path = f"/apis/batch/v1/namespaces/{namespace or self.house.team}/jobs"
        uid: str = self.house.ask("POST", path, body)["metadata"]["uid"]
        return uid

    def pod(self, owner: str, *, namespace: str = "") -> dict[str, Any]:
        """The pod of a Job, once there is one."""
        path = f"/api/v1/namespaces/{namespace or self.house.team}/pods"
        query = f"labelSelector=batch.kubernetes.io/controller-uid%3D{owner}"
        found: list[dict[str, Any]] = []

        def there() -> bool:
            found[:] = self.plane.request("GET", f"{path}?{query}")["items"]
            return bool(found)

        wait_until(there, "a pod")
        return found[0]

    def refusal(self, owner: str, namespace: str) -> str:
        """What the server said to the Job controller, which may not make the pod of this Job."""
        path = f"/api/v1/namespaces/{namespace}/events?fieldSelector=reason%3DFailedCreate"
        told: list[str] = []

        def said() -> bool:
            items = self.plane.request("GET", path)["items"]
            told[:] = [e["message"] for e in items if e["involvedObject"]["uid"] == owner]
            return bool(told)

        wait_until(said, "a refusal")
        return told[0].partition("is forbidden: ")[2]
