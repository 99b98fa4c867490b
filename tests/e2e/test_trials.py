"""How trials end on a real node, and what becomes of it."""

import json

import pytest

from kubetune.domain.trial import Trial
from tests.e2e.lab import GOES_ON, ROOT, STEPS, Lab, complete, python, shell

KIND = {"name": "kind", "type": "Categorical", "values": []}

ENDS = {
    "quick": (complete(0.5), ("Complete", "", 1)),
    "configuration": ("exit 64", ("Failed", "BadConfiguration", 1)),
    "temporary": ("exit 75", ("Failed", "Disrupted", 3)),
    "garbage": ("printf '\\377\\0{' > /dev/termination-log", ("Failed", "BadReport", 1)),
    "long": (
        "head -c 9000 /dev/zero > /dev/termination-log",
        ("Failed", "BadReport", 1),
    ),
    "another": (
        'echo \'{"schema": 1, "trial": 99, "state": "Complete"}\' > /dev/termination-log',
        ("Failed", "BadReport", 1),
    ),
    "crash": ("exit 3", ("Failed", "Crashed", 1)),
    "killed": ("exit 137", ("Failed", "Disrupted", 3)),
    "late": (f"sleep 600; {complete(0.1)}", ("Failed", "TimedOut", 1)),
    "missing": ("exec no-such-program", ("Failed", "Crashed", 1)),
}
"""What a trial does, and how it ends: state, reason, attempts."""


@pytest.fixture(scope="module")
def ends(lab: Lab) -> dict[str, Trial]:
    """The ended trials of one study in which each kind of trial is tried once.

    Beside each of them runs a container that never ends.
    """
    cases = "\n".join(f"{kind}) {script} ;;" for kind, (script, _) in ENDS.items())
    study = lab.study(
        shell(f'case "$KUBETUNE_PARAM_kind" in\n{cases}\nesac'),
        beside=[{"name": "beside", **shell("sleep 6000"), "imagePullPolicy": "Never"}],
        parameters=[{**KIND, "values": list(ENDS)}],
        initialTrials=[{"name": kind, "parameters": {"kind": kind}} for kind in ENDS],
        trials={
            "max": len(ENDS),
            "parallelism": 4,
            "timeoutSeconds": 4,
            "retries": {"disruption": 2},
        },
    )
    trials = study.finish()
    study.until(lambda: not study.jobs, "the Jobs to be removed")
    return {str(trial.parameters["kind"]): trial for trial in trials.values()}


@pytest.mark.parametrize("kind", ENDS)
def test_an_end_has_its_meaning(ends: dict[str, Trial], kind: str) -> None:
    """State, reason and number of attempts follow from how the process ended.

    64 is never tried again, 75 and a kill are; whatever else it says and however short it was, the
    study goes on. A container that runs on beside a trial keeps it from nothing.
    """
    trial = ends[kind]
    assert trial.outcome is not None
    assert (trial.state, trial.outcome.reason, trial.attempt) == ENDS[kind][1], trial


def test_a_command_that_is_not_there_is_said(lab: Lab) -> None:
    """A container that cannot start ends its trial, not tried again, in the runtime's words."""
    study = lab.study({"image": "busybox:latest", "command": ["no-such-program"]})
    (trial,) = study.finish().values()
    assert trial.outcome is not None
    assert trial.outcome.reason == "LaunchFailed"
    assert "no-such-program" in trial.outcome.message
    assert trial.attempt == 1


def test_a_suspended_study_goes_on_from_its_checkpoints(lab: Lab) -> None:
    """Running trials save and stop; later they go on at the next step, and no retry is used up."""
    claim, _ = lab.claim()
    study = lab.study(
        python(STEPS, **ROOT),
        checkpoints={"claimName": claim},
        trials={"retries": {"disruption": 0}},
    )
    study.until(lambda: "1 3 saved" in study.record(), "the third step")
    study.patch(suspend=True)
    study.until(lambda: study.condition("Suspended")[0] == "True", "the study to be suspended")
    study.until(lambda: not study.pods, "the trial to have stopped")
    assert not study.ended
    assert study.record()[-1] == "1 stopped"
    study.patch(suspend=False)
    (trial,) = study.finish().values()
    assert study.condition("Suspended")[0] == "False"
    assert study.record() == GOES_ON
    assert (trial.state, trial.value) == ("Complete", 1 / 6)
    assert (trial.attempt, trial.disruptions) == (2, 0)


def test_a_trial_is_given_no_key(lab: Lab) -> None:
    """Neither a service account's token nor the way to the database reaches a trial.

    What is added to a study's own pod keeps the strictest of Kubernetes' pod security standards.
    """
    study = lab.study(
        shell(
            "env > /lab/environment; ls -R /run /var > /lab/files;"
            f" while [ ! -e /lab/go ]; do sleep 0.1; done; {complete(0.5)}",
            securityContext={
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
        ),
        pod={
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        },
    )
    study.until(study.running_pod, "the trial")
    (job,) = study.jobs
    (pod,) = study.pods
    study.signal("go")
    study.finish()
    names = {line.partition("=")[0] for line in study.lines("environment")}
    assert {name for name in names if not name.startswith(("KUBETUNE_", "KUBERNETES_"))} <= {
        *("PATH", "HOSTNAME", "HOME", "PWD", "SHLVL"),
    }
    shown = "\n".join([*study.lines("environment"), json.dumps(pod), json.dumps(job)])
    assert lab.operator.storage not in shown
    assert "operator.db" not in shown
    assert [volume["name"] for volume in pod["spec"]["volumes"]] == ["lab"]
    assert "serviceaccount" not in "\n".join(study.lines("files"))
    template = job["spec"]["template"]
    assert lab.refusal(template, "restricted") == ""
    template["spec"].pop("securityContext")
    assert "violates PodSecurity" in lab.refusal(template, "restricted")
