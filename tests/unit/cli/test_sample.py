"""`kubetune sample`: draws without running them."""

import json
from pathlib import Path

import pytest

from kubetune.cli.output import Format
from kubetune.cli.sample import sample
from tests.unit.cli.test_validate import TWO_FAULTS, VALID

RANDOM = VALID.replace("  trials:", "  sampler: {algorithm: Random, seed: 1}\n  trials:")


def manifest(folder: Path, text: str) -> Path:
    file = folder / "study.yaml"
    file.write_text(text)
    return file


def test_json_is_one_draw_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs read parameters and rejections; people's words go to standard error."""
    sample(manifest(tmp_path, RANDOM), 30, Format.JSON)
    said = capsys.readouterr()
    draws = [json.loads(line) for line in said.out.splitlines()]
    assert len(draws) == 30
    assert all(set(draw) == {"parameters", "rejected"} for draw in draws)
    assert all(draw["parameters"]["x"] <= 0.75 for draw in draws)
    assert "30 draws" in said.err


def test_what_was_turned_down_is_counted_with_its_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A constraint that bites is seen with its count, its kind and its message."""
    soft = RANDOM.replace(
        '{name: low, forbid: "x > 0.75"}',
        '{name: seldom, forbid: "x > 0.1", acceptProbability: 0.1, message: too dear}',
    )
    sample(manifest(tmp_path, soft), 20, Format.JSON)
    said = capsys.readouterr()
    rejected = sum(json.loads(line)["rejected"] for line in said.out.splitlines())
    assert rejected > 0
    assert f"seldom (soft) turned down {rejected}: too dear" in said.err


def test_the_same_study_draws_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A seed makes draws repeatable: what is shown is what a run would try."""
    file = manifest(tmp_path, RANDOM)
    sample(file, 5, Format.JSON)
    first = capsys.readouterr().out
    sample(file, 5, Format.JSON)
    assert capsys.readouterr().out == first


def test_an_exhausted_space_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A grid of three has no fourth draw."""
    grid = RANDOM.replace("algorithm: Random, seed: 1", "algorithm: Grid").replace(
        "min: 0, max: 1}", "min: 0, max: 1, step: 0.25}"
    )
    sample(manifest(tmp_path, grid), 50, Format.JSON)
    said = capsys.readouterr()
    assert sorted(json.loads(line)["parameters"]["x"] for line in said.out.splitlines()) == [
        0.0,
        0.25,
        0.5,
        0.75,
    ]
    assert "the space is exhausted: it holds 4 trials" in said.err


def test_draws_are_those_of_the_first_phase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What later ones draw depends on results; nobody takes the draws for theirs."""
    course = (
        "  phases:\n  - name: small\n    trials: 2\n    sampler: {algorithm: Random, seed: 4}\n"
    )
    course += "    parameters: [{name: x, type: Double, min: 0.1, max: 0.2}]\n"
    course += "  - {name: large}\n"
    sample(manifest(tmp_path, VALID.replace("  trials:", f"{course}  trials:")), 20, Format.JSON)
    said = capsys.readouterr()
    draws = [json.loads(line)["parameters"]["x"] for line in said.out.splitlines()]
    assert all(0.1 <= draw <= 0.2 for draw in draws)
    assert "drawn from phase small; what 1 later phase would draw depends on" in said.err


def test_a_table_has_a_column_a_parameter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """People see names above and one draw a row."""
    sample(manifest(tmp_path, RANDOM), 3, Format.TABLE)
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["x", "rejected"]
    assert len(rows) == 3


def test_an_invalid_manifest_is_refused_with_its_faults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the same faults as validate shows, and no draw."""
    with pytest.raises(SystemExit) as ended:
        sample(manifest(tmp_path, TWO_FAULTS), 3, Format.JSON)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert not said.out
    assert "study.yaml:10: spec.trials.max" in said.err
