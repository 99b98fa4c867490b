"""How long a kwok pod waits, runs, and what it says at its end."""

import json
from dataclasses import dataclass
from typing import Any

RESULT = json.dumps(
    {"schema": 1, "state": "Complete", "reason": "", "step": 1, "metrics": {"score": 0.5}}
)
"""A termination message that every study with the objective `score` understands."""

_NOW = "{{ $now := Now }}{{ $root := . }}\n"
_CONTAINERS = "containerStatuses:\n{{ range $index, $item := .spec.containers }}\n"
_NAMED = "- {name: {{ $item.name | Quote }}, image: {{ $item.image | Quote }}, restartCount: 0, "
_ADDRESS = (
    'podIP: {{ PodIPWith .spec.nodeName false ( or .metadata.uid "" )'
    ' ( or .metadata.name "" ) ( or .metadata.namespace "" ) | Quote }}\n'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Pods run evenly between the shortest and the longest time, then succeed."""

    start_seconds: float = 0.0
    shortest_seconds: float = 0.0
    longest_seconds: float = 0.0
    message: str = RESULT


def stages(pace: Pace) -> list[dict[str, Any]]:
    """The Stage objects of pods; nodes keep kwok's own."""
    return [
        _stage("pod-ready", _phase(None), _running(), pace.start_seconds, pace.start_seconds),
        _stage(
            "pod-complete",
            _phase("Running"),
            _succeeded(pace.message),
            pace.shortest_seconds,
            pace.longest_seconds,
        ),
        {
            **_header("pod-delete"),
            "spec": {
                "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
                "selector": {"matchExpressions": [_deleted("Exists")]},
                "next": {"finalizers": {"empty": True}, "delete": True},
            },
        },
    ]


def _header(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
    }


def _deleted(operator: str) -> dict[str, Any]:
    return {"key": ".metadata.deletionTimestamp", "operator": operator}


def _phase(name: str | None) -> dict[str, Any]:
    if name is None:
        return {"key": ".status.podIP", "operator": "DoesNotExist"}
    return {"key": ".status.phase", "operator": "In", "values": [name]}


def _stage(
    name: str, when: dict[str, Any], template: str, shortest: float, longest: float
) -> dict[str, Any]:
    delay = {
        "durationMilliseconds": int(shortest * 1000),
        "jitterDurationMilliseconds": int(longest * 1000),
    }
    return {
        **_header(name),
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {"matchExpressions": [_deleted("DoesNotExist"), when]},
            **({"delay": delay} if longest > 0 else {}),
            "next": {"statusTemplate": template},
        },
    }


def _running() -> str:
    types = ("Initialized", "Ready", "ContainersReady")
    condition = '- {{lastTransitionTime: {{{{ $now | Quote }}}}, status: "True", type: {}}}\n'
    return (
        f"{_NOW}phase: Running\nstartTime: {{{{ $now | Quote }}}}\n"
        "hostIP: {{ NodeIPWith .spec.nodeName | Quote }}\n"
        f"{_ADDRESS}conditions:\n{''.join(condition.format(name) for name in types)}"
        f"{_CONTAINERS}{_NAMED}ready: true, started: true,\n"
        "  state: {running: {startedAt: {{ $now | Quote }}}}}\n{{ end }}\n"
    )


def _succeeded(message: str) -> str:
    return (
        f"{_NOW}phase: Succeeded\n{_CONTAINERS}{_NAMED}ready: false, started: false,\n"
        "  state: {terminated: {exitCode: 0, reason: Completed,\n"
        f"    message: {json.dumps(message)},\n"
        "    startedAt: {{ $root.status.startTime | Quote }},"
        " finishedAt: {{ $now | Quote }}}}}\n{{ end }}\n"
    )
