"""`kubetune convert`: studies on standard output, words on standard error, and the exit code."""

import re
from pathlib import Path

import pytest

from kubetune.api import admission, reader
from kubetune.cli.convert import convert

KATIB = Path(__file__).parents[2] / "golden" / "katib"
EXPERIMENT = (Path(__file__).parents[1] / "convert" / "experiments" / "base.yaml").read_text()
LOSSY = EXPERIMENT.replace('step: "0.01"', "distribution: normal")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "experiment.yaml"
    made.write_text(EXPERIMENT)
    return made


def code_of(file: Path, output: Path | None = None, *, strict: bool = False) -> int:
    with pytest.raises(SystemExit) as ended:
        convert(file, output, strict)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_study_goes_to_standard_output_alone(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be piped on; what is to be read by people is on standard error, with file and line."""
    assert code_of(file) == 0
    said = capsys.readouterr()
    assert admission.check(reader.parse(said.out).data).faults == ()
    assert f"{file}:19: spec.metricsCollectorSpec.collector.kind: to do: StdOut: " in said.err
    assert said.err.endswith(f"{file}: Experiment mnist: converted: 1 not needed, 1 to do\n")


def test_the_study_goes_to_a_file(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With -o nothing is on standard output."""
    assert code_of(file, tmp_path / "study.yaml") == 0
    assert admission.check(reader.read(tmp_path / "study.yaml").data).faults == ()
    assert not capsys.readouterr().out


def test_the_experiment_is_not_written_over(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the pen costs nobody the Experiment."""
    assert code_of(file, file) == 2
    assert file.read_text() == EXPERIMENT
    assert "is the Experiment itself" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_said(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, no traceback."""
    assert code_of(file, tmp_path / "nowhere" / "study.yaml") == 2
    assert "study.yaml: cannot be written: no such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "strict", "code"),
    [(EXPERIMENT, False, 0), (EXPERIMENT, True, 0), (LOSSY, False, 0), (LOSSY, True, 1)],
)
def test_strict_fails_when_something_was_left_out(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, strict: bool, code: int
) -> None:
    """What is left out or approximated fails it; what is to do or not needed does not."""
    file.write_text(text)
    assert code_of(file, strict=strict) == code
    assert "kind: TuningStudy" in capsys.readouterr().out


def test_several_documents_are_converted_and_others_refused_by_name(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The Experiments of a file become as many studies; the rest is named, with its line."""
    others = (
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: templates}\n"
        "---\napiVersion: kubeflow.org/v1beta1\nkind: Trial\nmetadata: {name: mnist-abc}\n"
        "---\napiVersion: kubeflow.org/v1alpha3\nkind: Experiment\nmetadata: {name: old}\n"
        "---\napiVersion: kubetune.io/v1alpha1\nkind: TuningStudy\nmetadata: {name: new}\n"
        "---\nonly: this\n---\n"
    )
    file.write_text(f"{EXPERIMENT}{others}{EXPERIMENT.replace('mnist', 'second')}")
    assert code_of(file) == 1
    said = capsys.readouterr()
    names = [study.data["metadata"]["name"] for study in reader.parse_all(said.out)]
    assert names == ["mnist", "second"]
    refused = re.findall(rf"^{file}:(\d+): (?:kind|apiVersion): (.*)$", said.err, re.MULTILINE)
    assert refused == [
        ("50", "ConfigMap templates is no Katib Experiment: it is not converted"),
        ("54", "Trial mnist-abc is made by Katib from its Experiment: convert that one"),
        ("57", "Experiment old is of v1alpha3: only kubeflow.org/v1beta1 is read; write it so"),
        ("62", "TuningStudy new is a study already: kubetune validate checks it"),
        ("65", "something without a name is no Katib Experiment: it is not converted"),
    ]


def test_a_list_of_experiments_is_converted(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `kubectl get experiments -o yaml` prints is taken as it is, lines included."""
    items = "".join(
        "- " + EXPERIMENT.replace("mnist", name).replace("\n", "\n  ").rstrip() + "\n"
        for name in ("one", "two")
    )
    file.write_text(f"apiVersion: v1\nkind: List\nitems:\n{items}")
    assert code_of(file) == 0
    said = capsys.readouterr()
    assert [one.data["metadata"]["name"] for one in reader.parse_all(said.out)] == ["one", "two"]
    assert f"{file}:22: spec.metricsCollectorSpec.collector.kind: to do" in said.err


def test_a_bad_experiment_leaves_no_file(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All its faults with their lines, exit code 1, and nothing to mistake for a study."""
    file.write_text(EXPERIMENT.replace("minimize", "less").replace("kind: Job", "kind: Workflow"))
    assert code_of(file, tmp_path / "study.yaml") == 1
    said = capsys.readouterr()
    assert f"{file}:6: spec.objective.type: 'less': write minimize or maximize" in said.err
    assert f"{file}:38: spec.trialTemplate.trialSpec.kind: Workflow (batch/v1)" in said.err
    assert f"{file}: Experiment mnist: not converted" in said.err
    assert not (tmp_path / "study.yaml").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "1: cannot be read: no such file"),
        ("", "1: empty: write a Katib Experiment"),
        ("a: [1", "not YAML"),
        ("- a", "1: not a manifest"),
        ("a: 1\na: 2", "2: a stands here twice"),
    ],
)
def test_what_is_no_manifest_is_told(
    file: Path, capsys: pytest.CaptureFixture[str], text: str | None, words: str
) -> None:
    """A line that says what is wrong, exit code 1."""
    file.unlink()
    if text is not None:
        file.write_text(text)
    assert code_of(file) == 1
    assert words in capsys.readouterr().err


def test_hostile_text_is_harmless(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An Experiment from a stranger steers neither the terminal nor the study."""
    hostile = r'"\e[2J\a\n  max: 1"'
    file.write_text(
        EXPERIMENT.replace("[accuracy]", f"[{hostile}]").replace(
            "name: random_state", f"name: {hostile}"
        )
    )
    assert code_of(file) == 0
    said = capsys.readouterr()
    assert "\x1b" not in said.err + said.out
    assert "\x07" not in said.err + said.out
    assert reader.parse(said.out).data["spec"]["trials"]["max"] == 8
