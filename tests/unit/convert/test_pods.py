"""The pod of a trial: a Job's, or that of one of Kubeflow's jobs which has only one."""

import pytest

from kubetune.api import reader
from tests.unit.convert.made import changed, said, spec

KIND = (
    "      apiVersion: batch/v1\n      kind: Job\n",
    "      apiVersion: kubeflow.org/v1\n      kind: {}\n",
)
BEGIN = "      spec:\n        template:\n          spec:\n"


def replicas(kind, field, role, count=""):
    """The base's pod as the only one of such a job."""
    head = f"      spec:\n        {field}:\n         {role}:\n{count}"
    inside = f"{head}          template:\n           spec:\n"
    return (KIND[0], KIND[1].format(kind)), (BEGIN, inside)


@pytest.mark.parametrize(
    ("kind", "field", "role", "count"),
    [
        ("PyTorchJob", "pytorchReplicaSpecs", "Master", "          replicas: 1\n"),
        ("PyTorchJob", "pytorchReplicaSpecs", "Worker", ""),
        ("TFJob", "tfReplicaSpecs", "Chief", ""),
        ("XGBoostJob", "xgbReplicaSpecs", "Master", "          replicas: '1'\n"),
    ],
)
def test_a_job_of_one_pod_is_its_pod(kind, field, role, count):
    """Its containers are the trial's; that its operator is gone is said."""
    changes = replicas(kind, field, role, count)
    (trainer,) = spec(*changes)["trialTemplate"]["spec"]["containers"]
    assert trainer["args"][0] == "--lr=$(KUBETUNE_PARAM_lr)"
    assert [line for line in said(*changes) if f"approximated: kind: {kind}" in line]


def test_a_pytorch_job_s_only_process_is_told_so():
    """As its operator tells it; a script that asks for its rank finds one."""
    found = spec(*replicas("PyTorchJob", "pytorchReplicaSpecs", "Master"))
    env = found["trialTemplate"]["spec"]["containers"][0]["env"]
    told = {entry["name"]: entry["value"] for entry in env}
    assert (told["WORLD_SIZE"], told["RANK"], told["MASTER_ADDR"]) == ("1", "0", "localhost")


def test_a_queue_s_labels_are_the_study_s():
    """There they reach every Job of it; other labels of a Job have no place."""
    labels = "      metadata: {labels: {kueue.x-k8s.io/queue-name: gpus}}\n"
    made = changed(("      kind: Job\n", f"      kind: Job\n{labels}"))
    assert made.text is not None
    metadata = reader.parse(made.text).data["metadata"]
    assert metadata["labels"] == {"kueue.x-k8s.io/queue-name": "gpus"}
    assert made.lossless


@pytest.mark.parametrize(
    ("field", "line"),
    [
        ("suspend: true", "left out: suspend: true: the Job is the study's own: nothing to do"),
        (
            "ttlSecondsAfterFinished: 5",
            "not needed: ttlSecondsAfterFinished: 5: a trial's Job is removed",
        ),
        ("suspend: false", None),
        ("backoffLimit: 0", None),
        ("completions: 1", None),
    ],
)
def test_a_job_s_own_field_is_named_unless_it_changes_nothing(field, line):
    """A Job's defaults are no loss."""
    before = "        template:\n"
    lines = said((before, f"        {field}\n{before}"))
    assert len(lines) == bool(line)
    assert all(found.startswith(line) for found in lines)


def test_a_job_s_time_is_a_trial_s():
    """The limit of the Job becomes the trials'."""
    before = "        template:\n"
    found = spec((before, f"        activeDeadlineSeconds: 60\n{before}"))
    assert found["trials"]["timeoutSeconds"] == 60
