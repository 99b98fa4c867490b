"""`kubetune validate`: every fault of every file, where it stands."""

import json
import re
from pathlib import Path

import pytest

from kubetune.cli.output import Format
from kubetune.cli.validate import validate

VALID = """\
apiVersion: kubetune.io/v1alpha1
kind: TuningStudy
metadata: {name: tiny}
spec:
  objectives: [{metric: score, direction: Maximize}]
  parameters:
  - {name: x, type: Double, min: 0, max: 1}
  constraints:
  - {name: low, forbid: "x > 0.75"}
  trials: {max: 4}
  trialTemplate: {spec: {containers: [{name: trainer, args: [digits]}]}}
"""
COURSE = """\
  phases:
  - {name: coarse, trials: 10, gate: {require: "trials.failed == 0"}}
  - {name: fine, trials: 10, narrow: {aroundTop: 3, shrink: 0.25}, sampler: {algorithm: Random}}
  - name: wide
    trials: 5
    when: "trials.complete < 9"
    gate: {require: "trials.complete > 1", onFailure: Continue}
    parameters: [{name: y, type: Double, min: 0, max: 1}]
  - {name: rest, narrow: {}, pruner: {algorithm: Median}}
  finalists: {top: 2, seeds: [1], heldOutMetric: unseen}
  trials: {max: 40}"""
TWO_FAULTS = VALID.replace("max: 1}", "max: -1}").replace("max: 4", "max: 0")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A valid manifest, one with two faults, one that is not YAML and one that is not there."""
    made = {name: tmp_path / f"{name}.yaml" for name in ("valid", "faults", "broken", "missing")}
    made["valid"].write_text(VALID)
    made["faults"].write_text(TWO_FAULTS)
    made["broken"].write_text("a: [1,\nb: }")
    return made


def code_of(*chosen: Path, output_format: Format = Format.TABLE) -> int:
    with pytest.raises(SystemExit) as ended:
        validate(list(chosen), output_format)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_valid_manifest_shows_its_feasible_share(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """How much constraints leave, and which takes how much, is known before anything runs."""
    assert code_of(files["valid"]) == 0
    said = capsys.readouterr().out
    assert "valid: 1 parameter, 4 trials, 75% of the space is allowed" in said
    assert re.search(r"constraint low forbids 2\d\.\d%", said)


def test_a_course_is_told_phase_by_phase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a study will do after what is read before anything runs; programs get it too."""
    file = tmp_path / "study.yaml"
    file.write_text(VALID.replace("  trials: {max: 4}", COURSE))
    assert code_of(file) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].endswith(
        "valid: 1 parameter, 40 trials in 4 phases, 75% of the space is allowed"
    )
    assert said[1:6] == [
        "  phase coarse: 10 trials, the study ends unless trials.failed == 0",
        "  phase fine: 10 trials, ranges at 25% around the best 3, drawn by Random",
        (
            "  phase wide: 5 trials, only if trials.complete < 9, with its own y,"
            " told whether trials.complete > 1"
        ),
        (
            "  phase rest: what is left of 40 trials, ranges at 50% around the best 5,"
            " pruned by Median"
        ),
        (
            "  finalists: the best 2 with 1 seed each: 2 runs beside the trials,"
            " then the winner once for unseen"
        ),
    ]
    assert code_of(file, output_format=Format.JSON) == 0
    (checked,) = json.loads(capsys.readouterr().out)
    assert [phase["name"] for phase in checked["phases"]] == ["coarse", "fine", "wide", "rest"]
    assert checked["phases"][2] == {
        "name": "wide",
        "trials": 5,
        "when": "trials.complete < 9",
        "gate": "trials.complete > 1",
        "parameters": ["y"],
    }


def test_all_faults_of_all_files_are_shown_at_once(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """One look is enough: file, line, field and message of each fault; exit code 1."""
    assert code_of(files["faults"], files["valid"], files["broken"], files["missing"]) == 1
    said = capsys.readouterr()
    assert re.search(rf"^{files['faults']}:7: spec\.parameters\[0\]", said.err, re.MULTILINE)
    assert re.search(rf"^{files['faults']}:10: spec\.trials\.max: ", said.err, re.MULTILINE)
    assert f"{files['broken']}:" in said.err
    assert f"{files['missing']}:1: cannot be read" in said.err
    assert "valid: 1 parameter" in said.out


def test_json_goes_to_programs_whole(
    files: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """One list, a file an entry, in the order given; nothing else on standard output."""
    assert code_of(files["valid"], files["faults"], output_format=Format.JSON) == 1
    valid, faults = json.loads(capsys.readouterr().out)
    assert (valid["valid"], valid["faults"]) == (True, [])
    assert valid["feasibleShare"] == pytest.approx(0.75, abs=0.03)
    assert faults["valid"] is False
    assert [fault["line"] for fault in faults["faults"]] == [7, 10]
    assert all(fault["path"] and fault["message"] for fault in faults["faults"])


def test_an_expression_s_fault_has_its_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a long expression the column saves the search."""
    file = tmp_path / "study.yaml"
    file.write_text(VALID.replace("x > 0.75", "x > 0.75 && y > 1"))
    assert code_of(file) == 1
    assert re.search(r"study\.yaml:9: .*\(at column 13 of", capsys.readouterr().err)


def test_hostile_names_in_a_manifest_are_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A manifest from a stranger cannot steer the terminal of who checks it."""
    file = tmp_path / "study.yaml"
    file.write_text(VALID.replace("name: low", r'name: "\e[2J\a"'))
    assert code_of(file) == 1
    said = capsys.readouterr()
    assert "\x1b" not in said.err + said.out
    assert "\x07" not in said.err + said.out


def test_a_katib_experiment_is_told_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line instead of one for every field that a study has not."""
    file = tmp_path / "experiment.yaml"
    file.write_text("apiVersion: kubeflow.org/v1beta1\nkind: Experiment\nspec: {a: 1}\n")
    assert code_of(file) == 1
    first = capsys.readouterr().err.splitlines()[0]
    assert first == f"{file}:2: kind: a Katib Experiment: `kubetune convert` makes a study of it"


def test_a_fault_of_a_patch_is_shown_in_the_patch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each fault names the file in which it is to be mended; a good patch mends a bad manifest."""
    study, bad, good = (tmp_path / name for name in ("study.yaml", "bad.yaml", "good.yaml"))
    study.write_text(TWO_FAULTS)
    bad.write_text("spec:\n  trials:\n    max: -3\n")
    good.write_text(
        "spec: {trials: {max: 3}, parameters: [{name: x, type: Double, min: 0, max: 1}]}"
    )
    with pytest.raises(SystemExit) as end:
        validate([study], Format.TABLE, [bad])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert f"{study}:7: spec.parameters[0]" in said
    assert f"{bad}:3: spec.trials.max" in said
    with pytest.raises(SystemExit) as end:
        validate([study], Format.TABLE, [bad, good])
    assert end.value.code == 0
    assert "1 parameter, 3 trials" in capsys.readouterr().out


def test_a_patch_that_cannot_be_read_is_a_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing file ends in its name, not in the manifest without it."""
    study = tmp_path / "study.yaml"
    study.write_text(VALID)
    with pytest.raises(SystemExit) as end:
        validate([study], Format.TABLE, [tmp_path / "none.yaml"])
    assert end.value.code == 1
    assert "none.yaml:1: cannot be read" in capsys.readouterr().err
