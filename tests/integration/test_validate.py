"""`kubetune validate`: what people read, what programs read, and the exit code."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.tuner import Workplace, command

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def good(tmp_path: Path) -> Path:
    place = Workplace(tmp_path)
    place.write(constraints=[{"name": "low", "forbid": "x < 0.25"}])
    return place.manifest


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(
        "apiVersion: kubetune.io/v1alpha1\n"
        "kind: TuningStudy\n"
        "metadata: {name: bad}\n"
        "spec:\n"
        "  objectives: [{metric: score, direction: Up}]\n"
        "  parameters:\n"
        "  - {name: x, type: Double, min: 1, max: 0}\n"
        "  constraints:\n"
        '  - {name: typo, forbid: "y > 0.5"}\n'
        "  trials: {max: 4}\n"
        '  trialTemplate: {spec: {containers: [{name: trainer, command: ["true"]}]}}\n'
    )
    return file


def test_a_valid_manifest(good: Path) -> None:
    """Exit 0, and what the constraints leave of the space."""
    done = command("validate", str(good))
    assert done.returncode == 0
    said = rf"^{re.escape(str(good))}: valid: 1 parameter, 4 trials, 7\d% of the space is allowed$"
    assert re.search(said, done.stdout, re.MULTILINE)
    assert "constraint low forbids" in done.stdout
    assert not done.stderr


def test_every_fault_has_file_and_line(bad: Path) -> None:
    """All faults at once, in order of lines, on standard error; exit 1."""
    done = command("validate", str(bad))
    assert done.returncode == 1
    lines = re.findall(rf"^{re.escape(str(bad))}:(\d+): (\S+): ", done.stderr, re.MULTILINE)
    assert lines == [
        ("5", "spec.objectives[0].direction"),
        ("7", "spec.parameters[0].min"),
        ("9", "spec.constraints[0].forbid"),
    ]
    assert not done.stdout


def test_several_files_are_all_checked(good: Path, bad: Path) -> None:
    """One bad file fails the command; the others are still checked."""
    done = command("validate", str(bad), str(good))
    assert done.returncode == 1
    assert f"{bad}:5" in done.stderr
    assert f"{good}: valid" in done.stdout


def test_json_for_programs(good: Path, bad: Path) -> None:
    """One list on standard output: an object a file, with every fault, line and path."""
    done = command("validate", "--format", "json", str(good), str(bad))
    assert done.returncode == 1
    first, second = json.loads(done.stdout)
    assert (first["file"], first["valid"], first["faults"]) == (str(good), True, [])
    assert first["feasibleShare"] == pytest.approx(0.75, abs=0.05)
    assert set(first["forbiddenShares"]) == {"low"}
    assert (second["file"], second["valid"]) == (str(bad), False)
    assert [fault["line"] for fault in second["faults"]] == [5, 7, 9]
    assert all(fault["path"] and fault["message"] for fault in second["faults"])
    assert not done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"a: [1, 2", "study.yaml:1"),
        (b"\xff\xfe\x00", "study.yaml:1"),
        (b"\0" * 10, "study.yaml:1"),
        (b"[]", "study.yaml:1"),
        (b"- 3", "study.yaml:1"),
        (b"a: &a [*a]", "study.yaml:1"),
        (b"apiVersion: v1\nkind: Pod\n", "TuningStudy"),
        (b"[" * 5000, "study.yaml:1"),
    ],
)
def test_what_is_no_manifest_is_a_fault(tmp_path: Path, text: bytes | None, words: str) -> None:
    """A missing file, other YAML and no YAML at all: a line each, never a traceback."""
    file = tmp_path / "study.yaml"
    if text is not None:
        file.write_bytes(text)
    done = command("validate", str(file))
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_is_no_manifest(tmp_path: Path) -> None:
    """Said as such, without a traceback."""
    done = command("validate", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}:1: cannot be read")


@pytest.mark.parametrize(
    "file", sorted(REPOSITORY.glob("examples/*/study.yaml")), ids=lambda file: file.parent.name
)
def test_every_example_is_valid(file: Path) -> None:
    """Nobody starts from an example that is refused or warned of."""
    done = command("validate", str(file))
    assert done.returncode == 0
    assert not done.stderr
