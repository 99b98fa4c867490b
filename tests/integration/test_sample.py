"""`kubetune sample`: draws on standard output, what was turned down on standard error."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.tuner import Workplace, command


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    place = Workplace(tmp_path)
    place.write(
        parameters=[
            {"name": "x", "type": "Double", "min": 0, "max": 1},
            {"name": "kind", "type": "Categorical", "values": ["a", "b"]},
            {"name": "depth", "type": "Integer", "min": 1, "max": 4, "when": "kind == 'a'"},
        ],
        derived=[{"name": "twice", "value": "x * 2.0"}],
        fixed={"epochs": 3},
        constraints=[
            {"name": "middle", "forbid": "x * x > 0.25 && x * x < 0.5", "message": "no middle"},
            {"name": "few-a", "forbid": "kind == 'a'", "acceptProbability": 0.3},
        ],
    )
    return place


def test_json_lines_for_programs(workplace: Workplace) -> None:
    """One object a draw: all that a trial would be given, and how many draws it took."""
    done = command("sample", str(workplace.manifest), "-n", "50", "--format", "json")
    assert done.returncode == 0
    draws = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(draws) == 50
    for drawn in draws:
        assert set(drawn) == {"parameters", "rejected"}
        given = drawn["parameters"]
        assert given["epochs"] == 3
        assert given["twice"] == pytest.approx(given["x"] * 2)
        assert ("depth" in given) == (given["kind"] == "a")
        assert not 0.25 < given["x"] ** 2 < 0.5
    assert sum(drawn["rejected"] for drawn in draws) > 0


def test_what_was_turned_down_is_counted_by_rule(workplace: Workplace) -> None:
    """Each rule that turned draws down says how many and why, beside the draws."""
    done = command("sample", str(workplace.manifest), "-n", "50", "--format", "json")
    draws = [json.loads(line) for line in done.stdout.splitlines()]
    total = re.search(r"50 draws, (\d+) turned down", done.stderr)
    assert total
    assert int(total.group(1)) == sum(drawn["rejected"] for drawn in draws)
    assert re.search(r"middle \(hard\) turned down \d+: no middle", done.stderr)
    assert re.search(r"few-a \(soft\) turned down \d+: forbids kind == 'a'", done.stderr)


def test_a_table_for_people(workplace: Workplace) -> None:
    """A column a parameter and derived value, a row a draw, a dash where one is inactive."""
    done = command("sample", str(workplace.manifest), "-n", "5")
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["x", "kind", "depth", "twice", "rejected"]
    assert len(rows) == 5
    for row in rows:
        _, kind, depth, _, _ = row.split()
        assert (depth == "-") == (kind == "b")


def test_the_same_draws_come_again(workplace: Workplace) -> None:
    """The seed of the study decides, not the moment."""
    words = ("sample", str(workplace.manifest), "-n", "5", "--format", "json")
    assert command(*words).stdout == command(*words).stdout


def test_a_sample_leaves_nothing_behind(workplace: Workplace) -> None:
    """No folder, no database."""
    before = sorted(workplace.manifest.parent.rglob("*"))
    command("sample", str(workplace.manifest))
    assert sorted(workplace.manifest.parent.rglob("*")) == before


def test_a_small_space_is_drawn_once(workplace: Workplace) -> None:
    """A grid says how much it holds when more is asked for."""
    workplace.write(
        parameters=[{"name": "n", "type": "Integer", "values": [1, 2, 4]}],
        sampler={"algorithm": "Grid"},
    )
    done = command("sample", str(workplace.manifest), "-n", "10", "--format", "json")
    assert done.returncode == 0
    found = [json.loads(line)["parameters"]["n"] for line in done.stdout.splitlines()]
    assert sorted(found) == [1, 2, 4]
    assert "3 trials" in done.stderr


def test_an_invalid_manifest_is_refused(workplace: Workplace) -> None:
    """Its faults are shown with their lines, and nothing is drawn; exit 2."""
    workplace.write(trials={"max": 0})
    done = command("sample", str(workplace.manifest))
    assert done.returncode == 2
    assert re.search(r"study\.yaml:\d+: spec\.trials\.max", done.stderr)
    assert not done.stdout
