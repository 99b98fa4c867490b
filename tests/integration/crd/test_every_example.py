"""Every example is taken by a real API server, at full size and as kustomize makes it small."""

import json

import pytest

from kubetune.adapters.kubernetes.job import StudyObject, render
from kubetune.api import admission, reader
from kubetune.api.patch import patch
from kubetune.domain.ports import LaunchOrder
from tests.builders import make_trial
from tests.integration.crd.manifests import path
from tests.integration.following import EXAMPLES

STRICT = "dryRun=All&fieldValidation=Strict"
READ = ("create", "--dry-run=client", "--validate=false", "-o", "json")
"""What kubectl makes of files; its reader is one of YAML 1.1, to which `1e-05` is text."""

SMALL = "small/study.yaml"

by_example = pytest.mark.parametrize("study", sorted(EXAMPLES.glob("*/study.yaml")), ids=str)


def server_takes(studies, data):
    """The study by its schema, and a Job of it by the server's own."""
    data = {**data, "metadata": {**data["metadata"], "namespace": "default"}}
    studies.request("POST", f"{path('default')}?{STRICT}", data)
    spec = admission.check(data).spec
    assert spec is not None
    owner = StudyObject(name=spec.name, namespace="default", uid="0a1b2c3d-1")
    order = LaunchOrder(spec=spec, study_uid=owner.uid, trial=make_trial(0))
    jobs = f"/apis/batch/v1/namespaces/default/jobs?{STRICT}"
    studies.request("POST", jobs, render(order, owner))


@by_example
def test_at_full_size(study, studies):
    """The schema, the checks and kubectl agree on the manifest; pods can be made of it."""
    data = reader.read(study).data
    assert json.loads(studies.kubectl(*READ, "-f", str(study)))["spec"] == data["spec"]
    server_takes(studies, data)


@pytest.mark.parametrize(
    "folder", sorted(each.parent for each in EXAMPLES.glob("*/kustomization.yaml")), ids=str
)
def test_at_small_scale(folder, studies):
    """What `kubectl apply -k` applies is what `kubetune run --patch` runs."""
    small = folder / SMALL
    laid = patch(reader.read(folder / "study.yaml"), reader.read(small), str(small)).data
    applied = json.loads(studies.kubectl(*READ, "-k", str(folder)))
    assert applied["spec"] == laid["spec"]
    server_takes(studies, applied)


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*/two-objectives.yaml")), ids=str)
def test_a_patch_by_hand(file, studies):
    """`kubectl patch --local` lays the same over a manifest."""
    study = file.parent / "study.yaml"
    words = ("patch", "--local", "-f", str(study), "--type", "merge", "-o", "json")
    applied = json.loads(studies.kubectl(*words, "--patch-file", str(file)))
    assert applied["spec"] == patch(reader.read(study), reader.read(file), str(file)).data["spec"]
    server_takes(studies, applied)
