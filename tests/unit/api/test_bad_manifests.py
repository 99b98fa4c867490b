"""Every kind of bad manifest, with each fault it must be told, and the line."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kubetune.api import admission, reader

STUDIES = Path(__file__).parent / "studies"
BASE = (STUDIES / "base.yaml").read_text()
CASES: list[dict[str, Any]] = YAML(typ="safe", pure=True).load(STUDIES / "bad.yaml")


def test_the_base_has_no_faults():
    """A case shows what its change does only if nothing else is wrong."""
    verdict = admission.check(reader.parse(BASE).data)
    assert verdict.faults == ()
    assert verdict.warnings == ()
    assert verdict.spec is not None


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_bad_manifest_is_told_every_fault_with_its_line(case):
    """All faults at once, none twice, nothing said beside them, each on the line it is about."""
    text = case.get("whole", BASE)
    for change in case.get("change", ()):
        assert change["from"] in text, "the case changes nothing"
        text = text.replace(change["from"], change["to"], 1)
    manifest = reader.parse(text)
    verdict = admission.check(manifest.data)
    found = sorted((manifest.line(fault.path), str(fault)) for fault in verdict.faults)
    assert [f"{line}: {fault}" for line, fault in found] == case["faults"]
    assert verdict.spec is None
