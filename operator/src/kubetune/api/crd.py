"""The CustomResourceDefinition, generated from the wire models.

`python -m kubetune.api.crd FOLDER` writes it there; without a folder it is printed.
"""

import sys
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from kubetune.api import immutable
from kubetune.api.schema import structural
from kubetune.api.v1alpha1.base import rule
from kubetune.api.v1alpha1.spec import TuningStudySpec
from kubetune.api.v1alpha1.status import TuningStudyStatus
from kubetune.api.v1alpha1.study import GROUP, KIND, VERSION

FILE_NAME = "kubetune.io_tuningstudies.yaml"
HEADER = "# Generated from the wire types by `make generate`; edit those instead.\n"

_COLUMNS = (
    ("Phase", "string", ".status.phase"),
    ("Succeeded", "string", '.status.conditions[?(@.type=="Succeeded")].status'),
    ("Best", "number", ".status.best.value"),
    ("Complete", "integer", ".status.trials.complete"),
    ("Active", "integer", ".status.trials.active"),
    ("Failed", "integer", ".status.trials.failed"),
    ("Age", "date", ".metadata.creationTimestamp"),
)
_WIDE_COLUMNS = (
    ("Total", "integer", ".status.trials.total"),
    ("Max", "integer", ".spec.trials.max"),
    ("Pruned", "integer", ".status.trials.pruned"),
    ("Infeasible", "integer", ".status.trials.infeasible"),
)


def crd() -> dict[str, Any]:
    """The definition as plain data."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"tuningstudies.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": "tuningstudies",
                "singular": "tuningstudy",
                "shortNames": ["tstudy"],
                "categories": ["tuning"],
            },
            "scope": "Namespaced",
            "versions": [_version()],
        },
    }


def render() -> str:
    """The definition as YAML."""
    yaml = YAML()
    yaml.width = 10_000  # folded lines would end in spaces
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(crd(), stream)
    return HEADER + stream.getvalue()


def _version() -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            *({"name": name, "type": kind, "jsonPath": path} for name, kind, path in _COLUMNS),
            *(
                {"name": name, "type": kind, "jsonPath": path, "priority": 1}
                for name, kind, path in _WIDE_COLUMNS
            ),
        ],
        "schema": {"openAPIV3Schema": _root()},
    }


def _root() -> dict[str, Any]:
    return {
        "type": "object",
        "description": "A search for the best configuration of a training program.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}"},
            "kind": {"type": "string", "description": KIND},
            "metadata": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 253, "description": "The study's name."}
                },
            },
            "spec": structural(TuningStudySpec),
            "status": structural(TuningStudyStatus),
        },
        "x-kubernetes-validations": [
            rule(
                "size(self.metadata.name) <= 63",
                "the name may have 63 characters at most",
                "metadata.name",
            ),
            rule(
                "!self.metadata.name.contains('.')",
                "the name may have small letters, digits and '-', but no dot: it is part of its"
                " trials' names",
                "metadata.name",
            ),
            *immutable.rules(),
        ],
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        for folder in sys.argv[1:]:
            (Path(folder) / FILE_NAME).write_text(render(), encoding="utf-8")
    else:
        sys.stdout.write(render())
