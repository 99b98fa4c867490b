"""The real helm, and helm-docs."""

import json
import subprocess
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.cluster import golang
from tests.cluster.control_plane import ControlPlane

CHART = Path(__file__).parents[2] / "charts" / "kubetune"


class HelmFailed(Exception):  # noqa: N818 - named by what it says
    """Helm ended with an error; the message is its own."""


def binary() -> Path:
    """Helm, built into the cache when it is not there: four minutes from cold."""
    return golang.installed("helm.sh/helm/v4/cmd/helm", "v4.3.1")


def docs_binary() -> Path:
    """helm-docs, which writes the chart's README."""
    return golang.installed("github.com/norwoodj/helm-docs/cmd/helm-docs", "v1.14.2")


def helm(*words: str, plane: ControlPlane | None = None, user: str = "admin") -> str:
    """What helm prints on standard output; with a control plane it talks to that, as a user.

    Raises:
        HelmFailed: with what it printed on standard error.
    """
    where = [f"--kubeconfig={plane.kubeconfig_for(user)}"] if plane else []
    home = plane.home.make("helm") if plane else CHART.parent / "no-home-of-helm"
    done = subprocess.run(
        [str(binary()), *words, *where],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise HelmFailed(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def rendered(
    values: Mapping[str, Any] | None = None,
    *options: str,
    chart: Path = CHART,
    namespace: str = "kubetune-system",
    release: str = "kubetune",
) -> list[dict[str, Any]]:
    """The objects that the chart makes of values, hooks included.

    Raises:
        HelmFailed: the values are refused.
    """
    given = [f"--set-json={name}={json.dumps(value)}" for name, value in (values or {}).items()]
    words = (release, str(chart), f"--namespace={namespace}", *given, *options)
    return deepcopy(_template(*words))


@cache
def _template(*words: str) -> list[dict[str, Any]]:
    """Many tests look at the same objects, which take seconds to read on a busy machine."""
    return [each for each in YAML(typ="safe").load_all(helm("template", *words)) if each]
