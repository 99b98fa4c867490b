"""The commands of a document, run where kubectl and helm know the cluster and the namespace."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.cluster import binaries, helm
from tests.cluster.cluster import Cluster

REPOSITORY = Path(__file__).parents[2]


def block(document: Path, name: str) -> str:
    """The text of the one block that begins with "sh NAME"."""
    pattern = rf"^```sh {name}\n(.*?)^```"
    (text,) = re.findall(pattern, document.read_text(), re.MULTILINE | re.DOTALL)
    return str(text)


class Shell:
    """Runs a document's blocks from the repository's root, as a reader does."""

    def __init__(self, document: Path, cluster: Cluster, namespace: str, folder: Path) -> None:
        self._document = document
        kubeconfig = json.loads(cluster.plane.kubeconfig.read_text())
        for context in kubeconfig["contexts"]:
            context["context"]["namespace"] = namespace
        path = folder / "kubeconfig"
        path.write_text(json.dumps(kubeconfig))
        programs = (Path(sys.executable), Path(binaries.find()["kubectl"].path), helm.binary())
        places = ":".join([*(str(program.parent) for program in programs), os.environ["PATH"]])
        self._environment = {
            **os.environ,
            "KUBECONFIG": str(path),
            "PATH": places,
            "HELM_CACHE_HOME": str(folder / "helm"),
        }

    def run(self, name: str, **instead: str) -> str:
        """What a block prints; `instead` replaces what is another one's in the document."""
        text = block(self._document, name)
        for old, new in instead.items():
            assert old in text
            text = text.replace(old, new)
        done = subprocess.run(
            ["sh", "-e", "-c", text],
            cwd=REPOSITORY,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
