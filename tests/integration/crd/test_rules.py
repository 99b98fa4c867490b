"""Every rule in CEL, broken on a real API server, and what only admission can find."""

import json
from pathlib import Path

import pytest

from kubetune.api import admission, crd, immutable
from tests.cluster.requests import Refused
from tests.integration.crd.manifests import BASE, STUDIES, changed, path, study, table

CASES = table(Path(__file__).parent / "refused.yaml")
BAD = table(STUDIES / "bad.yaml")
WHERE = f"{path('default')}?dryRun=All&fieldValidation=Strict"


def messages(node):
    """The messages of every rule at and below a schema."""
    for item in node.get("x-kubernetes-validations", ()):
        yield item["message"]
    for child in node.get("properties", {}).values():
        yield from messages(child)
    for key in ("items", "additionalProperties"):
        if isinstance(node.get(key), dict):
            yield from messages(node[key])


def test_every_rule_has_a_case():
    """A rule that nobody saw refuse anything may refuse nothing."""
    schema = crd.crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    edits = {rule["message"] for rule in immutable.rules()}
    assert set(messages(schema)) - edits == {case["says"] for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_each_rule_in_cel_is_told_in_its_words(case, studies):
    """One fault, at the field it is about, in words that say what to write."""
    data = study(changed(*case["change"]), namespace="default")
    with pytest.raises(Refused) as refused:
        studies.request("POST", WHERE, data)
    assert refused.value.status == 422
    causes = json.loads(str(refused.value).partition(": ")[2])["details"]["causes"]
    assert [(cause["field"], cause["message"]) for cause in causes] == [
        (case["field"], f"Invalid value: {case['says']}")
    ]


@pytest.mark.parametrize("case", BAD, ids=[case["case"] for case in BAD])
def test_a_bad_manifest_never_passes_both(case, studies):
    """What the server takes, filled in by it, is refused by the operator."""
    data = study(changed(*case.get("change", ()), text=case.get("whole", BASE)))
    try:
        text = json.dumps(data, allow_nan=False)
    except ValueError:
        return  # no number of JSON: it cannot be sent
    words = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    answer = studies.kubectl(*words, stdin=text, check=False)
    if answer.startswith("{"):
        verdict = admission.check(json.loads(answer))
        assert verdict.spec is None
        assert {fault.message for fault in verdict.faults}


@pytest.mark.parametrize("name", ["base.yaml", "full.yaml"])
def test_what_the_server_fills_in_changes_nothing(name, studies):
    """A study read back is the study that was written: no fault, no warning, the same search."""
    written = study((STUDIES / name).read_text(), namespace="default")
    stored = studies.request("POST", WHERE, written)
    before, after = admission.check(written), admission.check(stored)
    assert after.faults == ()
    assert after.warnings == before.warnings
    assert after.spec == before.spec


def test_small_bounds_stay_the_numbers_they_are(studies):
    """`6e-5` is a number in a manifest, on the wire and when it is read back."""
    full = study((STUDIES / "full.yaml").read_text(), namespace="default")
    stored = studies.request("POST", WHERE, full)
    bounds = stored["spec"]["parameters"][0]
    assert (bounds["min"], bounds["max"]) == (6e-5, 1.2e-4)
