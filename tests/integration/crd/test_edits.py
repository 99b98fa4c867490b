"""What of a study may change once it has trials, as a real API server sees it."""

import copy
import json
from pathlib import Path

import pytest

from kubetune.adapters.optuna.description import describe, refuse_changes
from kubetune.api import admission, immutable
from kubetune.domain.faults import SpecChanged
from tests.cluster.requests import Refused
from tests.integration.crd.manifests import BASE, COURSE, changed, path, study, table

CASES = table(Path(__file__).parent / "edits.yaml")
IDS = [case["case"] for case in CASES]
STARTED = {"status": {"trials": {"total": 1}}}
MERGE = "application/merge-patch+json"


@pytest.fixture(scope="module")
def home(studies):
    """A namespace for all cases: each makes only dry runs."""
    name = studies.create_namespace()
    for kind, text in (("", BASE), ("-course", COURSE)):
        studies.request("POST", path(name), study(text, name=f"new{kind}"))
        studies.request("POST", path(name), study(text, name=f"started{kind}"))
        studies.request("PATCH", f"{path(name, f'started{kind}')}/status", STARTED, MERGE)
    yield name
    studies.delete_namespace(name)


def base(case):
    """What a case changes."""
    return COURSE if case.get("course") else BASE


def edit(plane, home, name, case):
    """Writes the case's manifest over a study, as far as the server would take it."""
    name += "-course" if case.get("course") else ""
    there = plane.request("GET", path(home, name))
    text = changed(case, text=base(case))
    data = study(text, name=name, resourceVersion=there["metadata"]["resourceVersion"])
    where = f"{path(home, name)}?dryRun=All&fieldValidation=Strict"
    return plane.request("PUT", where, data)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_before_the_first_trial_everything_may_change(case, studies, home):
    """Nothing rests on a study yet that has no trials."""
    edit(studies, home, "new", case)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_after_the_first_trial_the_server_refuses_what_trials_rest_on(case, studies, home):
    """One fault, at the field, with what to do instead; everything else may change."""
    if "field" not in case:
        edit(studies, home, "started", case)
        return
    with pytest.raises(Refused) as refused:
        edit(studies, home, "started", case)
    assert refused.value.status == 422
    causes = json.loads(str(refused.value).partition(": ")[2])["details"]["causes"]
    where = f".spec.{case['field']}"
    message = next(item["message"] for item in immutable.rules() if item["fieldPath"] == where)
    assert [(cause["field"], cause["message"]) for cause in causes] == [
        (f"spec.{case['field']}", f"Invalid value: {message}")
    ]


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_the_database_refuses_the_same(case):
    """An edit that the server takes is one that the study can be opened again with."""
    texts = base(case), changed(case, text=base(case))
    before, after = (admission.check(study(text)).spec for text in texts)
    assert before is not None
    assert after is not None
    if "field" not in case:
        refuse_changes(describe(before), describe(after))
        return
    with pytest.raises(SpecChanged) as refused:
        refuse_changes(describe(before), describe(after))
    assert [fault.path for fault in refused.value.faults] == [("spec", case["field"])]


def test_several_changes_are_refused_at_once(studies, home):
    """Somebody who changed three things is told of three."""
    there = studies.request("GET", path(home, "started"))
    data = copy.deepcopy(there)
    data["spec"]["objectives"][0]["metric"] = "precision"
    data["spec"]["sampler"]["seed"] = 9
    data["spec"]["derived"] = []
    with pytest.raises(Refused) as refused:
        studies.request("PUT", f"{path(home, 'started')}?dryRun=All", data)
    causes = json.loads(str(refused.value).partition(": ")[2])["details"]["causes"]
    assert {cause["field"] for cause in causes} == {
        "spec.objectives",
        "spec.sampler",
        "spec.derived",
    }


def test_a_status_without_trials_holds_nothing(studies, home):
    """An invalid study that was never started can be corrected in every part."""
    studies.request("POST", path(home), study(name="refused"))
    told = {"status": {"phase": "Invalid", "trials": {"total": 0}}}
    studies.request("PATCH", f"{path(home, 'refused')}/status", told, MERGE)
    edit(studies, home, "refused", {"from": "metric: accuracy", "to": "metric: precision"})
