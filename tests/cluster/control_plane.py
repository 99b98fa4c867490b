"""A real control plane: etcd, API server, controller manager and scheduler on loopback."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cluster import audit, binaries, home, processes, programs, users
from tests.cluster.audit import Request
from tests.cluster.home import Home
from tests.cluster.keeper import keep
from tests.cluster.requests import Refused, Server, wait_until

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")

_CRDS = Path(__file__).parents[2] / "crds"


class ControlPlane:
    """A control plane in a folder; another process reaches the same one by its `Home`."""

    def __init__(self, where: Home) -> None:
        self.home = where
        self.node = f"kubetune-{where.slot}"
        self.url = f"https://127.0.0.1:{where.port('kube-apiserver')}"

    @property
    def _keys(self) -> Path:
        return self.home.folder / "keys"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.kubeconfig_for(users.ADMIN)

    def kubeconfig_for(self, user: str) -> Path:
        """A kubeconfig of `admin`, or of `operator`, `alice`, `bob`, who have no rights.

        Raises:
            KeyError: there is no such user.
        """
        path = self.home.folder / "kubeconfigs" / f"{user}.json"
        if not path.exists():
            token = users.token_of(self._keys / "tokens.csv", user)
            self._write_kubeconfig(path, user, token)
        return path

    def kubeconfig_for_account(self, namespace: str, name: str) -> Path:
        """A kubeconfig of a service account, with a token of one hour."""
        path = self.home.make("kubeconfigs") / f"{namespace}.{name}.json"
        account = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = self.request("POST", f"{account}/token", request)["status"]["token"]
        self._write_kubeconfig(path, name, token)
        return path

    def start(self) -> None:
        """Starts what does not run and returns when a namespace can be used."""
        self._prepare()
        self.start_component("etcd")
        self.start_component("kube-apiserver")
        for user in (users.ADMIN, users.MANAGER, users.SCHEDULER):
            self.kubeconfig_for(user)
        self.start_component("kube-controller-manager")
        self.start_component("kube-scheduler")
        wait_until(lambda: self.has_account("default"), "the first service account")

    def start_component(self, name: str) -> None:
        """Starts one program, on the port it always has; returns when it is healthy."""
        running = processes.read(self.home.folder, name)
        if not (running and running.alive):
            words = programs.command(self.home, name, binaries.find())
            running = processes.start(self.home.folder, name, words)
        wait_until(lambda: not running.alive or self.healthy(name), name)
        if not running.alive:
            raise RuntimeError(f"{name} ended at its start; its log ends:\n{self.log_tail(name)}")

    def stop_component(self, name: str, *, grace_seconds: float = 5.0) -> None:
        """Stops one program and leaves the others; no grace is a crash."""
        processes.stop(self.home.folder, name, grace_seconds=grace_seconds)

    def restart_apiserver(self, *, grace_seconds: float = 2.0) -> None:
        """Ends the API server and starts it again at the same address with the same data."""
        self.stop_component("kube-apiserver", grace_seconds=grace_seconds)
        self.start_component("kube-apiserver")

    def stop(self) -> None:
        """Ends it all and takes its folder away."""
        home.erase(self.home.folder)

    def healthy(self, name: str) -> bool:
        """Whether a program answers that it is well."""
        if name == "etcd":
            return Server(f"http://127.0.0.1:{self.home.port('etcd')}").healthy("/health")
        if name == "kube-apiserver":
            try:
                return self.server().healthy("/readyz")
            except OSError:
                return False  # its certificate is not there, or half of it
        return Server(f"https://127.0.0.1:{self.home.port(name)}", verify=False).healthy("/healthz")

    def log_tail(self, name: str, characters: int = 3000) -> str:
        """The end of a program's log."""
        path = self.home.folder / "logs" / f"{name}.log"
        return path.read_text(errors="replace")[-characters:]

    def requests_of(self, user: str = users.OPERATOR) -> list[Request]:
        """Every request that a user of the token file has made, as the API server noted it."""
        return audit.read(self.home.folder / "logs" / "audit.jsonl", user)

    def server(self, user: str = users.ADMIN) -> Server:
        """The API server, asked as a user."""
        token = users.token_of(self._keys / "tokens.csv", user)
        return Server(self.url, token=token, authority=self._keys / "apiserver.crt")

    def request(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> Any:
        """One request as the administrator.

        Raises:
            Refused: the API server said no.
        """
        return self.server().json(method, path, body, kind)

    def kubectl(
        self, *words: str, stdin: str | None = None, user: str = users.ADMIN, check: bool = True
    ) -> str:
        """What the real kubectl prints.

        Raises:
            RuntimeError: it failed and `check` is set; the message is its own.
        """
        done = subprocess.run(
            [
                binaries.find()["kubectl"].path,
                f"--kubeconfig={self.kubeconfig_for(user)}",
                f"--cache-dir={self.home.folder / 'kubectl'}",
                *words,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout + ("" if check else done.stderr)

    def apply(self, manifest: str | dict[str, Any] | Path, namespace: str = "default") -> str:
        """Applies YAML, an object or a file."""
        if isinstance(manifest, Path):
            manifest = manifest.read_text()
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        return self.kubectl("apply", "-n", namespace, "-f", "-", stdin=text)

    def apply_crds(self) -> None:
        """Applies `crds/` by server-side apply and waits until studies can be made."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(_CRDS))
        wait_until(self._serves_studies, "studies to be served")

    def create_namespace(self, prefix: str = "test") -> str:
        """Makes a namespace that pods can use at once; its name."""
        name = f"{prefix}-{uuid.uuid4().hex[:8]}"
        self.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        wait_until(lambda: self.has_account(name), f"the service account of {name}")
        return name

    def delete_namespace(self, name: str, *, wait: bool = False) -> None:
        """Ends all that runs in a namespace without grace and lets it go.

        Waits until it is gone where another test may want one of the same name.
        """
        jobs = f"/apis/batch/v1/namespaces/{name}/jobs?propagationPolicy=Background"
        self.request("DELETE", jobs)
        self.request("DELETE", f"/api/v1/namespaces/{name}/pods?gracePeriodSeconds=0")
        self.request("DELETE", f"/api/v1/namespaces/{name}")
        there = f"/api/v1/namespaces/{name}"
        if wait:
            wait_until(lambda: not self.server().healthy(there), f"namespace {name} to go")

    def has_account(self, namespace: str) -> bool:
        """Whether a namespace has what every pod in it needs."""
        try:
            self.request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/default")
        except (Refused, OSError):
            return False
        return True

    def _serves_studies(self) -> bool:
        """Asked of the API itself: kubectl's `wait` fails on a CRD without conditions yet."""
        try:
            self.request("GET", "/apis/kubetune.io/v1alpha1/tuningstudies")
        except Refused:
            return False
        return True

    def _prepare(self) -> None:
        keys = self.home.make("keys")
        self.home.make("kubeconfigs")
        if not (keys / "tokens.csv").exists():
            users.write_keys(keys)
            audit.write_policy(keys / "audit.json")
            users.write_tokens(keys / "tokens.csv", self.node)

    def _write_kubeconfig(self, path: Path, user: str, token: str) -> None:
        authority = (self._keys / "apiserver.crt").read_bytes()
        users.write_kubeconfig(path, url=self.url, authority=authority, user=user, token=token)


@contextmanager
def running(name: str, owner: int) -> Iterator[ControlPlane]:
    """A control plane that ends with the block, or with this process if that is killed."""
    plane = ControlPlane(home.claim(name, owner=owner))
    with keep(plane.home.folder) as keeper:
        try:
            plane.start()
            yield plane
        finally:
            plane.stop()
            keeper.kill()
