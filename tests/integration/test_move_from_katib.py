"""What the how-to for Katib's users shows is what happens."""

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from kubetune.api import reader
from kubetune.cli.output import Format
from kubetune.cli.sample import sample
from kubetune.convert.conversion import convert
from tests.integration.test_docs import REPOSITORY, block, run

HOW_TO = REPOSITORY / "docs" / "how-to" / "move-from-katib.md"
ROWS = re.findall(r"^\| `([a-z-]+)` \| `([A-Za-z]+)`", HOW_TO.read_text(), re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The how-to's Experiment, converted by the commands beside it."""
    (tmp_path / "experiment.yaml").write_text(block(HOW_TO, "yaml experiment.yaml"))
    done = run(["sh", "-e", "-c", block(HOW_TO, "sh convert")], tmp_path)
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_the_study_is_the_one_that_is_shown(folder: Path) -> None:
    """Comments included."""
    assert (folder / "study.yaml").read_text() == block(HOW_TO, "yaml study.yaml")


def test_the_study_runs_with_one_more_line(folder: Path) -> None:
    """The line that the how-to adds to the program is the one that the study's comment has."""
    script = block(HOW_TO, "sh train.sh")
    line = script.splitlines()[-1]
    assert f"#   {line}\n" in (folder / "study.yaml").read_text()
    (folder / "train.sh").write_text(script)
    assert complete(folder, block(HOW_TO, "sh run")) == 8


def test_the_study_runs_a_program_that_cannot_be_changed(folder: Path) -> None:
    """The shell around it reports the smallest value of its log, and fails where it fails."""
    yaml = YAML()
    study = yaml.load(folder / "study.yaml")
    trainer = study["spec"]["trialTemplate"]["spec"]["containers"][0]
    trainer.update(yaml.load(block(HOW_TO, "yaml wrapped")))
    yaml.dump(study, folder / "study.yaml")
    script = block(HOW_TO, "sh train.sh").splitlines()[:-1]
    (folder / "train.sh").write_text("\n".join([*script, 'echo "loss=9"', ""]))
    assert complete(folder, "kubetune run study.yaml -o out") == 8
    (folder / "train.sh").write_text("echo loss=1; exit 3\n")
    done = run(["sh", "-c", "kubetune run study.yaml -o bad --trials 1"], folder)
    assert "Crashed" in done.stdout
    assert "exit code 3" in done.stdout


@pytest.mark.parametrize(("theirs", "ours"), ROWS, ids=[row[0] for row in ROWS])
def test_each_algorithm_becomes_what_the_table_says(theirs: str, ours: str) -> None:
    """The table is the program's."""
    found = block(HOW_TO, "yaml experiment.yaml").replace("multivariate-tpe", theirs)
    settings = "{name: resource_name, value: layers}, {name: r_l, value: 4}"
    if theirs == "hyperband":
        found = found.replace("hyperband", f"hyperband, algorithmSettings: [{settings}]")
    text = convert(reader.parse(found)).text
    assert text is not None
    assert reader.parse(text).data["spec"]["sampler"]["algorithm"] == ours


def test_the_table_misses_no_algorithm() -> None:
    """Katib ships these, and two that are refused."""
    assert {theirs for theirs, _ in ROWS} == {
        "random", "grid", "tpe", "multivariate-tpe", "bayesianoptimization", "cmaes", "sobol",
        "hyperband", "pbt",
    }  # fmt: skip


@pytest.mark.parametrize(
    "name", ["random", "grid", "tpe", "multivariate-tpe", "cmaes", "sobol", "distributions"]
)
def test_a_converted_study_draws(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its sampler takes its settings, and its trials hold every parameter."""
    file = REPOSITORY / "tests" / "golden" / "katib" / "studies" / f"{name}.yaml"
    spec = reader.read(file).data["spec"]
    sample(file, 12, Format.JSON)
    draws = [json.loads(line)["parameters"] for line in capsys.readouterr().out.splitlines()]
    names = {item["name"] for item in spec["parameters"]} | spec.get("fixed", {}).keys()
    assert [draw.keys() for draw in draws] == [names] * 12


def complete(folder: Path, command: str) -> int:
    """How many trials of a run are complete, each with a value that its program printed."""
    done = run(["sh", "-e", "-c", command], folder)
    assert done.returncode == 0, done.stderr + done.stdout
    ended = re.findall(r"Complete: loss (\S+?)[,;]?\s", done.stdout)
    logs = "".join(log.read_text() for log in folder.glob("out/trials/*/stdout.log"))
    said = {f"{float(value):.4g}" for value in re.findall(r"^loss=(\S+)", logs, re.MULTILINE)}
    assert {f"{float(value):.4g}" for value in ended} <= said
    return len(ended)
