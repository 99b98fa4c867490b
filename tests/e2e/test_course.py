"""A whole course on a real node: phases, a gate, narrowing, finals, held-out data; and kill -9."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from kubetune.adapters.optuna.history import read_trials
from kubetune.domain.trial import Stage, Trial, TrialState
from tests.e2e.lab import Lab, Study, shell
from tests.integration.tuner import command

pytestmark = pytest.mark.timeout(900)

BEST = 700
SCRIPT = f"""
told="$KUBETUNE_TRIAL"
seed=$(echo "$told" | sed 's/.*"seed": *\\([0-9]*\\).*/\\1/')
off=$(( KUBETUNE_PARAM_x - {BEST} ))
score=$(( 10000 - off * off / 50 + KUBETUNE_PARAM_epochs * 100 + seed % 50 ))
case "$told" in
  *'"stage": "heldout"'*) more=", \\"test_score\\": $(( score - 123 ))" ;;
esac
printf '{{"schema": 1, "state": "Complete", "reason": "", "step": 1, "metrics": {{%s}}}}' \\
  "\\"score\\": $score$more" > "${{KUBETUNE_TERMINATION_LOG:-/dev/termination-log}}"
"""
"""The score has its top at x = 700, is better with more epochs, and a matter of luck by 50."""

SPEC: dict[str, Any] = {
    "objectives": [{"metric": "score", "direction": "Maximize"}],
    "parameters": [{"name": "x", "type": "Integer", "min": 0, "max": 1000}],
    "fixed": {"epochs": 1},
    "sampler": {"algorithm": "Random", "seed": 5},
    "outcomes": [{"name": "usable", "when": "metrics.score > 2000.0"}],
    "trials": {"max": 8, "parallelism": 1},
    "phases": [
        {
            "name": "coarse",
            "trials": 5,
            "gate": {"require": "outcomes.usable >= 3", "onFailure": "Stop"},
        },
        {"name": "fine", "trials": 3, "narrow": {"aroundTop": 2, "shrink": 0.5}},
    ],
    "finalists": {
        "top": 2,
        "seeds": [11, 12],
        "rankBy": "Mean",
        "heldOutMetric": "test_score",
        "fixed": {"epochs": 3},
    },
}
GPU = {"resources": {"limits": {"nvidia.com/gpu": 1}}}


def told(trial: Trial) -> tuple[object, ...]:
    """A trial but for its times and attempts."""
    return (
        *(trial.number, trial.stage, trial.phase, trial.repeats, trial.seed, trial.state),
        *(dict(trial.parameters), trial.outcome and trial.outcome.metrics),
    )


def undisturbed(study: Study, folder: Path) -> tuple[tuple[Trial, ...], str]:
    """The same manifest on this machine, where nobody disturbs it: its trials, its best."""
    meta = {"name": study.name}
    template = {"spec": {"containers": [{"name": "trainer", "command": ["sh", "-c", SCRIPT]}]}}
    kind = {"apiVersion": "kubetune.io/v1alpha1", "kind": "TuningStudy"}
    spec = SPEC | {"trialTemplate": template}
    manifest = folder / "study.yaml"
    manifest.write_text(json.dumps({**kind, "metadata": meta, "spec": spec}))
    done = command("run", str(manifest), "-o", str(folder / "run"), "--no-plots")
    assert done.returncode == 0, done.stderr
    trials = read_trials(f"sqlite:///{folder / 'run' / 'trials.sqlite3'}", study.name)
    return trials, (folder / "run" / "best_config.yaml").read_text()


def killed_in(study: Study, place: str) -> None:
    """Kills the operator once the study is there and a trial of it runs."""

    def there() -> bool:
        status = study.status
        return status.get("currentPhase") == place and bool(status.get("active"))

    study.until(there, f"the study to be in {place}")
    study.lab.operator.kill()
    study.lab.operator.start()


def results(study: Study) -> dict[str, str]:
    """The text files of its ConfigMap."""
    query = "labelSelector=kubetune.io/study%3D" + study.name
    path = f"/api/v1/namespaces/{study.namespace}/configmaps?{query}"
    (found,) = study.plane.request("GET", path)["items"]
    return dict(found["data"])


def test_a_course_goes_to_its_end_through_kills(lab: Lab, tmp_path: Path) -> None:
    """Killed in the second phase and in the finals, it has the trials that it had without a kill.

    What its status says of finals, evidence, held-out data and GPU hours follows from them, and the
    ConfigMap has the configuration that the same study leaves on one machine.
    """
    study = lab.study(shell(SCRIPT, **GPU), mounted=False, **SPEC)
    killed_in(study, "fine")
    killed_in(study, "finalists")
    trials = study.finish()
    expected, best = undisturbed(study, tmp_path)
    assert list(map(told, trials.values())) == list(map(told, expected))
    assert {trial.state for trial in trials.values()} == {TrialState.COMPLETE}
    _check_course(trials)
    _check_status(study, trials)
    assert results(study)["best_config.yaml"] == best
    _check_configuration(best, study.status)


def _check_course(trials: dict[int, Trial]) -> None:
    """Five of the first phase, three about its best, two by two finals, and one look."""
    stages = [trial.stage for trial in trials.values()]
    assert stages == [Stage.SEARCH] * 8 + [Stage.FINALIST] * 4 + [Stage.HELD_OUT]
    assert [trial.phase for trial in trials.values()][:8] == ["coarse"] * 5 + ["fine"] * 3
    coarse = sorted(abs(int(trials[number].parameters["x"]) - BEST) for number in range(5))
    fine = [abs(int(trials[number].parameters["x"]) - BEST) for number in range(5, 8)]
    assert max(fine) < coarse[-1]
    looked = [trial for trial in trials.values() if "test_score" in trial.outcome.metrics]  # type: ignore[union-attr]
    assert [trial.stage for trial in looked] == [Stage.HELD_OUT]


def _check_status(study: Study, trials: dict[int, Trial]) -> None:
    status, last = study.status, trials[12]
    assert (status["phase"], study.condition("Succeeded")[0]) == ("Succeeded", "True")
    assert status.get("currentPhase", "") == ""
    finals = {each["number"]: each for each in status["finalists"]}
    runs = [trial for trial in trials.values() if trial.stage is Stage.FINALIST]
    for number, each in finals.items():
        values = [trial.value for trial in runs if trial.repeats == number]
        assert sorted(each["values"]) == sorted(values)
        assert each["score"] == sum(map(float, each["values"])) / 2
    best = status["best"]
    assert best["number"] == status["finalists"][0]["number"] == last.repeats
    assert best["evidence"] == "HeldOut"
    assert last.outcome
    assert best["heldOut"] == last.outcome.metrics["test_score"]
    hours = sum(trial.seconds or 0.0 for trial in trials.values()) / 3600
    assert status["budget"]["gpuHours"] == pytest.approx(hours, abs=0.001)


def _check_configuration(text: str, status: dict[str, Any]) -> None:
    """What one trains again with: the winner as it was in the finals, and their first seed."""
    found = YAML(typ="safe").load(text)
    assert found["trial"] == status["best"]["number"]
    assert found["seed"] == 11
    assert found["parameters"] == {"epochs": 3, "x": status["best"]["parameters"]["x"]}
