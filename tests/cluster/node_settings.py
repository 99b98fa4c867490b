"""The settings of containerd, its network and the kubelet; JSON is YAML."""

from pathlib import Path
from typing import Any

from tests.cluster import images, machine
from tests.cluster.home import Home


def containerd(home: Home) -> str:
    """Version 2 of containerd's settings; without a network of its own for anything else.

    `restrict_oom_score_adj`: where CAP_SYS_RESOURCE is missing, every sandbox dies without it.
    """
    folder = home.folder / "containerd"
    return f"""version = 2
root = "{folder}/root"
state = "{folder}/state"
oom_score = 0
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.PAUSE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "{home.port("containerd")}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
"""


def network(home: Home) -> dict[str, Any]:
    """One bridge; the host routes to it and nothing routes out but to the API server's service."""
    return {
        "cniVersion": "0.4.0",
        "name": machine.cgroup(home.slot) + "-pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": machine.bridge(home.slot),
                "isGateway": True,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(home.folder / "containerd" / "addresses"),
                    "ranges": [[{"subnet": machine.subnet(home.slot)}]],
                    "routes": [{"dst": machine.services(home.slot)}],
                },
            }
        ],
    }


def kubelet(home: Home) -> dict[str, Any]:
    """A kubelet that keeps all it makes below the home and evicts nothing."""
    signals = ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": machine.gateway(home.slot),
        "port": home.port("kubelet"),
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": home.port("kubelet-health"),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(home.folder / "keys" / "kubelet-client.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{home.folder}/containerd/containerd.sock",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{machine.cgroup(home.slot)}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
        "evictionHard": dict.fromkeys(signals, "0%"),
        "imageGCHighThresholdPercent": 100,
        "podLogsDir": str(home.folder / "kubelet" / "logs"),
        "resolvConf": str(resolver(home)),
        "maxPods": 200,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "kubeAPIQPS": 500,
        "kubeAPIBurst": 1000,
        "shutdownGracePeriod": "0s",
    }


def resolver(home: Home) -> Path:
    """Pods have no name service."""
    return home.folder / "kubelet" / "resolv.conf"
