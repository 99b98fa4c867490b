"""The how-to's scripts, run in this process as a trial of the how-to's manifest.

As a process of its own each would spend most of its time on imports that are made here already;
that a study launches the command it is given is tested with the scripts that need none.
"""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kubetune.api import admission
from tests.integration.test_docs import HOW_TO, block


def trained(
    monkeypatch: pytest.MonkeyPatch, folder: Path, script: str, **fixed: Any
) -> dict[str, Any]:
    """The result of a script of the how-to, in a folder, with other fixed values."""
    (folder / script).write_text(block(HOW_TO, f"python {script}"))
    manifest = YAML(typ="safe").load(block(HOW_TO, "yaml hf.yaml"))
    assert admission.check(manifest).faults == ()
    spec = manifest["spec"]
    (container,) = spec["trialTemplate"]["spec"]["containers"]
    assert container["command"] == ["python", "hf.py"]
    order = {
        "schema": 1,
        "study": manifest["metadata"]["name"],
        "trial": 0,
        "objectives": [objective["metric"] for objective in spec["objectives"]],
        "parameters": {"learning_rate": spec["parameters"][0]["max"], **spec["fixed"], **fixed},
    }
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    for name, value in {
        "KUBETUNE_TRIAL": json.dumps(order),
        "KUBETUNE_CHECKPOINT_DIR": str(folder / "checkpoint"),
        "KUBETUNE_TERMINATION_LOG": str(folder / "result.json"),
    }.items():
        monkeypatch.setenv(name, value)
    runpy.run_path(script, run_name="__main__")
    return dict(json.loads((folder / "result.json").read_text()))
