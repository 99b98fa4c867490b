"""The courses of 10-diffusion-lora at full size, on pictures that are only reckoned."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from kubetune.api.admission import check
from kubetune.api.patch import patch
from kubetune.api.reader import read
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import TrialState
from tests.integration import tuner
from tests.integration.following import EXAMPLES, SECONDS
from tests.integration.scripted import PROGRAMS, Scripted

EXAMPLE = "10-diffusion-lora"
TRIAL_3 = {"network_dim": 256, "network_alpha": 32.0, "learning_rate": 6.6e-5}
HARD = 7
SOFT = ("little-capacity-trained-briefly", "prodigy-warms-up-by-itself")
OPTIONAL = {"network_dropout", "lr_scheduler_num_cycles"}

LONG = 3 * SECONDS
"""A machine that does much else takes minutes for fifty processes."""

pytestmark = pytest.mark.timeout(2 * LONG)


def study(folder: Path, worth: str, **more: Any) -> Scripted:
    """The example's own manifest on data of some worth, two trials at a time."""
    command = [sys.executable, str(PROGRAMS / "painting.py"), worth]
    return Scripted(EXAMPLE, "painting.py", folder, command=command, **more)


def spec_of(*files: Path) -> StudySpec:
    """The study of a manifest, with others laid over it."""
    first, *others = map(read, files)
    for other in others:
        first = patch(first, other, "wide")
    spec = check(first.data).spec
    assert spec
    return spec


def reported(found: Scripted) -> dict[str, int]:
    """How many trials are in which class, by the report."""
    text = (found.folder / "REPORT.md").read_text()
    _, _, stability = text.partition("## Stability")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", stability.partition("##")[0], re.MULTILINE)
    return {name: int(count) for name, count in rows}


def test_the_gate_is_passed(tmp_path: Path) -> None:
    """Trial 3 of the first search comes first; ten sound trials let forty follow.

    No launched trial breaks a rule, and each draw that was turned down is in the log with its rule.
    """
    found = study(tmp_path, "good")
    said = found.run("--parallelism", "2", seconds=LONG)
    trials = found.trials()
    assert [trial.phase for trial in trials] == ["validation"] * 10 + ["full"] * 40
    assert trials[0].baseline
    assert {name: trials[0].parameters[name] for name in TRIAL_3} == TRIAL_3
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    spec = spec_of(found.manifest)
    hard = [rule for rule in spec.space.constraints if rule.hard]
    assert len(hard) == HARD
    for trial in trials:
        assert not [rule.name for rule in hard if rule.forbid.holds(trial.parameters)]
        assert trial.number == 0 or trial.parameters["network_alpha_ratio"] >= 0.25
    results = found.results()
    told = {rule.name: 0 for rule in spec.space.constraints}
    for count, name, why in re.findall(r"(\d+) draws? turned down by constraint '(\S+)'(.*)", said):
        told[name] += int(count)
        (rule,) = (rule for rule in spec.space.constraints if rule.name == name)
        assert rule.message
        assert why.endswith(rule.message)
    assert {name: count for name, count in told.items() if count} == results["rejectedDraws"]
    excellent = [t for t in trials if t.outcome and t.outcome.metrics["clip_score"] > 0.30]
    assert len(excellent) > 3
    assert reported(found) == {
        "usable": len([t for t in trials if t.value and t.value >= 0.27]),
        "excellent": len(excellent),
        "catastrophic": 0,
        "exploded": 0,
    }
    assert "phase full begins; phase validation had 10 trials" in said


@pytest.mark.parametrize(
    ("worth", "counted"),
    [
        ("weak", "it had outcomes.catastrophic 0, outcomes.usable 0"),
        ("black", r"it had outcomes.catastrophic [1-9], outcomes.usable \d"),
    ],
)
def test_the_gate_is_refused(tmp_path: Path, worth: str, counted: str) -> None:
    """Too few usable trials, or a single catastrophe: ten trials, and what the gate missed."""
    found = study(tmp_path, worth)
    said = found.run("--parallelism", "2", code=1)
    assert len(found.trials()) == 10
    assert re.search(f"GateFailed: phase validation was to show .*; {counted}", said)
    failed = [trial for trial in found.trials() if trial.state is TrialState.FAILED]
    assert bool(failed) == (worth == "black")
    for trial in failed:
        assert trial.outcome
        assert trial.outcome.reason is TrialReason.GUARD_TRIPPED
        assert "guard 'black': most rendered pictures are black" in trial.outcome.message


def test_trial_4_and_its_like_are_never_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In ranges that hold the bad trial 4 every rule is needed, and every one is kept and named."""
    ranges = [
        {"name": "learning_rate", "type": "Double", "min": 6e-5, "max": 2e-4, "scale": "Log"},
        {"name": "text_encoder_lr", "type": "Double", "min": 3e-5, "max": 1e-4, "scale": "Log"},
        {"name": "network_alpha_ratio", "type": "Double", "values": [0.125, 0.5, 0.75, 0.85, 1.0]},
        {"name": "max_train_epochs", "type": "Integer", "values": [8, 12, 16, 20]},
    ]
    manifest = EXAMPLES / EXAMPLE / "study.yaml"
    own = {item["name"]: item for item in read(manifest).data["spec"]["parameters"]}
    merged = list({**own, **{item["name"]: item for item in ranges}}.values())
    wide = tmp_path / "wide.json"
    sampler = {"algorithm": "Random", "seed": 7}
    wide.write_text(json.dumps({"spec": {"parameters": merged, "sampler": sampler}}))
    words = ("sample", str(manifest), "--patch", str(wide), "-n", "300", "--format", "json")
    monkeypatch.setattr(tuner, "WAIT_SECONDS", LONG)
    done = tuner.command(*words)
    assert done.returncode == 0, done.stderr
    drawn = [json.loads(line)["parameters"] for line in done.stdout.splitlines()]
    rules = spec_of(manifest, wide).space.constraints
    assert len(drawn) == 300
    for rule in rules:
        broken = [each for each in drawn if rule.forbid.holds(each)]
        assert len(broken) < 15 if rule.name in SOFT else not broken, rule.name
        assert re.search(rf"{rule.name} \(\w+\) turned down \d+: {rule.message}", done.stderr)


@pytest.mark.parametrize(("worth", "trials"), [("fair", 40), ("good", 20)])
def test_the_hybrid_course(tmp_path: Path, worth: str, trials: int) -> None:
    """Optional parameters are added only where twenty trials without them had no excellent one."""
    found = study(tmp_path, worth, manifest="hybrid.yaml")
    said = found.run("--parallelism", "2", seconds=LONG)
    assert len(found.trials()) == trials
    for trial in found.trials():
        later = trial.number >= 20
        assert trial.phase == ("with-optional-parameters" if later else "narrow")
        restarts = trial.parameters["lr_scheduler"] == "cosine_with_restarts"
        optional = OPTIONAL if restarts else {"network_dropout"}
        assert set(trial.active) & OPTIONAL == (optional if later else set())
        if not later or not restarts:
            assert trial.parameters["lr_scheduler_num_cycles"] == 1
        if not later:
            assert trial.parameters["network_dropout"] == 0.0
    left_out = "phase with-optional-parameters is left out: outcomes.excellent == 0 does not hold"
    assert (left_out in said) == (worth == "good")
