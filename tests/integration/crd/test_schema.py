"""Every rule of the schema, broken on a real API server."""

import json

import pytest

from kubetune.api import crd
from tests.cluster.requests import Refused
from tests.integration.crd.manifests import STUDIES, path, study
from tests.integration.crd.violations import broken, spelled, violations

SPEC = crd.crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
FULL = study((STUDIES / "full.yaml").read_text(), namespace="default")
ALL = list(violations(SPEC, FULL["spec"], ("spec",)))
WHERE = f"{path('default')}?dryRun=All&fieldValidation=Strict"


def test_the_rules_are_all_there():
    """The walk reaches optional parts that no manifest has."""
    told = {str(violation) for violation in ALL}
    assert "spec.pruner.patience.evaluations minimum" in told
    assert "spec.trials.retries.outOfMemory maximum" in told
    assert "spec.metrics.queries[0].promQL required" in told
    assert "spec.checkpoints.claimName maxLength" in told
    assert len(ALL) > 250


@pytest.mark.parametrize("violation", ALL, ids=str)
def test_each_rule_of_the_schema_is_kept_by_the_server(violation, studies):
    """What breaks a rule is refused before it is stored, and the refusal names the field."""
    with pytest.raises(Refused) as refused:
        studies.request("POST", WHERE, broken(FULL, violation))
    assert refused.value.status == 422
    causes = json.loads(str(refused.value).partition(": ")[2])["details"]["causes"]
    fields = {cause["field"] for cause in causes}
    assert any(field.startswith(spelled(violation.path)) for field in fields), causes


def test_a_field_that_nobody_knows_is_refused(studies):
    """A misspelt field is told, not dropped."""
    data = study(namespace="default")
    data["spec"]["pruner"]["minResources"] = 1
    with pytest.raises(Refused, match=r'unknown field \\"spec.pruner.minResources\\"'):
        studies.request("POST", WHERE, data)


def test_the_full_study_keeps_them_all(studies):
    """A refusal above is due to the one change."""
    studies.request("POST", WHERE, FULL)
