"""The command lines of the control plane: production's defaults but for speed and loopback."""

from collections.abc import Mapping
from pathlib import Path

from tests.cluster import machine, users
from tests.cluster.binaries import Binary
from tests.cluster.home import Home


def etcd(home: Home, binary: Path) -> list[str]:
    """Loses what it has not written when the machine stops: no fsync."""
    client = f"http://127.0.0.1:{home.port('etcd')}"
    peer = f"http://127.0.0.1:{home.port('etcd-peer')}"
    return [
        str(binary),
        f"--data-dir={home.folder / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(home: Home, binary: Path) -> list[str]:
    """Makes its own certificate at the first start, which every client trusts by name."""
    keys = home.folder / "keys"
    return [
        str(binary),
        f"--etcd-servers=http://127.0.0.1:{home.port('etcd')}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        f"--secure-port={home.port('kube-apiserver')}",
        f"--cert-dir={keys}",
        f"--token-auth-file={keys / 'tokens.csv'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys / 'accounts.key'}",
        f"--service-account-signing-key-file={keys / 'accounts.key'}",
        f"--service-cluster-ip-range={machine.services(home.slot)}",
        "--allow-privileged=true",
        f"--kubelet-client-certificate={keys / 'kubelet-client.crt'}",
        f"--kubelet-client-key={keys / 'kubelet-client.key'}",
        "--kubelet-preferred-address-types=InternalIP",
        "--shutdown-watch-termination-grace-period=0s",
        f"--audit-policy-file={keys / 'audit.json'}",
        f"--audit-log-path={home.folder / 'logs' / 'audit.jsonl'}",
    ]


def manager(home: Home, binary: Path) -> list[str]:
    """Faster than the defaults, whose 20 requests a second make three Jobs a second."""
    keys = home.folder / "keys"
    return [
        *_client(home, binary, "kube-controller-manager", users.MANAGER),
        f"--service-account-private-key-file={keys / 'accounts.key'}",
        f"--root-ca-file={keys / 'apiserver.crt'}",
        "--use-service-account-credentials",
        "--concurrent-job-syncs=32",
    ]


def scheduler(home: Home, binary: Path) -> list[str]:
    """As fast as the controller manager."""
    return _client(home, binary, "kube-scheduler", users.SCHEDULER)


def _client(home: Home, binary: Path, name: str, user: str) -> list[str]:
    kubeconfig = home.folder / "kubeconfigs" / f"{user}.json"
    return [
        str(binary),
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={home.port(name)}",
        "--leader-elect=false",
        "--kube-api-qps=1000",
        "--kube-api-burst=2000",
    ]


def command(home: Home, name: str, binaries: Mapping[str, Binary]) -> list[str]:
    """The command line of one program of the control plane, by its name."""
    makers = {
        "etcd": etcd,
        "kube-apiserver": apiserver,
        "kube-controller-manager": manager,
        "kube-scheduler": scheduler,
    }
    return makers[name](home, binaries[name].path)
