"""What is made of Katib's Experiments is taken by a real API server: the study, and its Jobs."""

import json
from pathlib import Path

import pytest

from kubetune.adapters.kubernetes.job import StudyObject, render
from kubetune.api import admission, reader
from kubetune.domain.ports import LaunchOrder
from tests.builders import make_trial
from tests.integration.crd.manifests import path

STUDIES = sorted((Path(__file__).parents[2] / "golden" / "katib" / "studies").glob("*.yaml"))
STRICT = "dryRun=All&fieldValidation=Strict"

by_study = pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)


@by_study
def test_the_server_takes_every_converted_study(file, studies):
    """The schema and its rules say the same as `kubetune validate`."""
    data = reader.read(file).data
    data["metadata"]["namespace"] = "default"
    studies.request("POST", f"{path('default')}?{STRICT}", data)


@by_study
def test_the_server_takes_the_jobs_of_every_converted_study(file, studies):
    """The pod template that Katib had is one here too, with no field that the server refuses."""
    spec = admission.check(reader.read(file).data).spec
    assert spec is not None
    owner = StudyObject(name=spec.name, namespace="default", uid="0a1b2c3d-1")
    order = LaunchOrder(spec=spec, study_uid=owner.uid, trial=make_trial(0))
    jobs = f"/apis/batch/v1/namespaces/default/jobs?{STRICT}"
    made = studies.request("POST", jobs, render(order, owner))
    assert made["spec"]["template"]["spec"]["restartPolicy"] == "Never"


@by_study
def test_kubectl_reads_what_is_written(file, studies):
    """Its reader is one of YAML 1.1, to which `1e-05` is text and `off` is none."""
    words = ("create", "--dry-run=client", "--validate=false", "-o", "json", "-f", str(file))
    assert json.loads(studies.kubectl(*words))["spec"] == reader.read(file).data["spec"]
