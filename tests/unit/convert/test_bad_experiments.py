"""Every kind of bad Experiment, with each fault it must be told, and the line."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kubetune.api import reader
from kubetune.convert.conversion import convert

EXPERIMENTS = Path(__file__).parent / "experiments"
BASE = (EXPERIMENTS / "base.yaml").read_text()
CASES: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(EXPERIMENTS / "bad.yaml")


def test_the_base_has_no_faults():
    """A case shows what its change does only if nothing else is wrong."""
    converted = convert(reader.parse(BASE))
    assert converted.faults == ()
    assert converted.text is not None
    assert converted.lossless


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_bad_experiment_is_told_every_fault_with_its_line(case):
    """All faults at once, nothing said beside them, each on the line it is about, and no study."""
    text = BASE
    for change in case["change"]:
        assert change["from"] in text, "the case changes nothing"
        text = text.replace(change["from"], change["to"], 1)
    manifest = reader.parse(text)
    converted = convert(manifest)
    found = sorted((manifest.line(fault.path), str(fault)) for fault in converted.faults)
    assert [f"{line}: {fault}" for line, fault in found] == case["faults"]
    assert converted.text is None
