"""Studies for the operator on a cluster, and the Job that a trial of one is."""

from typing import Any

from kubetune.adapters.kubernetes.job import StudyObject, render
from kubetune.api import admission
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.trial import Trial, TrialState


def manifest(
    name: str, *, trials: int, parallelism: int, algorithm: str = "Random"
) -> dict[str, Any]:
    """A study of four parameters whose trials report a score."""
    return {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": name},
        "spec": {
            "objectives": [{"metric": "score", "direction": "Maximize"}],
            "parameters": [
                {"name": "rate", "type": "Double", "min": 1e-6, "max": 1e-2, "scale": "Log"},
                {"name": "share", "type": "Double", "min": 0, "max": 1},
                {"name": "size", "type": "Integer", "min": 1, "max": 64},
                {"name": "kind", "type": "Categorical", "values": ["x", "y", "z"]},
            ],
            "sampler": {"algorithm": algorithm, "seed": 1},
            "trials": {"max": trials, "parallelism": parallelism},
            "trialTemplate": {
                "spec": {
                    "containers": [{"name": "trainer", "image": "none", "command": ["train"]}],
                    "restartPolicy": "Never",
                }
            },
        },
    }


def job() -> dict[str, Any]:
    """The Job of a trial, without an owner: nobody removes it."""
    spec = admission.check(
        {**(made := manifest("floor", trials=1, parallelism=1)), "metadata": {"name": "floor"}}
    ).spec
    assert spec is not None, made
    trial = Trial(
        number=0,
        state=TrialState.RUNNING,
        parameters={"rate": 0.001, "share": 0.5, "size": 32, "kind": "x"},
        active=frozenset({"rate", "share", "size", "kind"}),
        seed=1,
    )
    study = StudyObject(name="floor", namespace="floor", uid="00000000-0000-0000-0000-000000000000")
    body = render(LaunchOrder(spec=spec, study_uid=study.uid, trial=trial), study)
    del body["metadata"]["ownerReferences"]
    return body
