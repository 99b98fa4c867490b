"""What a manifest asks of a study, kept by `kubetune run` with real processes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.integration.tuner import Workplace

REPORT = """
report() {
    list=
    for pair; do list="$list${list:+, }\\"${pair%%=*}\\": ${pair#*=}"; done
    result='{"schema": 1, "state": "Complete", "metrics": {%s}}'
    printf "$result" "$list" > "$KUBETUNE_TERMINATION_LOG"
}
"""


def trial(body: str) -> list[str]:
    """A shell script that may say `report name=value ...` as the last thing it does."""
    return ["sh", "-c", REPORT + body]


SCORE_IS_X = trial("report score=$KUBETUNE_PARAM_x")


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    place = Workplace(tmp_path)
    yield place
    place.kill_trials()


def most_at_once(lines: list[str]) -> int:
    """Of lines `begun` and `done`, how many were begun and not done at the same time."""
    active = most = 0
    for line in lines:
        active += 1 if line.startswith("begun") else -1
        most = max(most, active)
    return most


@pytest.mark.parametrize(("options", "expected"), [((), 3), (("--parallelism", "1"), 1)])
def test_never_more_trials_at_once_than_asked_for(
    workplace: Workplace, options: tuple[str, ...], expected: int
) -> None:
    """`trials.parallelism` is used in full and never exceeded; the option goes before it."""
    workplace.write(seconds=0.4, trials={"max": 6, "parallelism": 3})
    assert workplace.run(*options).returncode == 0
    ledger = (workplace.manifest.parent / "ledger").read_text().splitlines()
    assert most_at_once(ledger) == expected


def test_no_trial_that_a_constraint_forbids_is_launched(workplace: Workplace) -> None:
    """Hard constraints hold in what the trials themselves were given."""
    folder = workplace.manifest.parent
    body = f'echo "$KUBETUNE_PARAM_kind $KUBETUNE_PARAM_x" >> {folder}/seen; report score=1'
    workplace.write(
        command=trial(body),
        parameters=[
            {"name": "x", "type": "Double", "min": 0, "max": 1},
            {"name": "kind", "type": "Categorical", "values": ["a", "b"]},
        ],
        constraints=[
            {"name": "low-a", "forbid": "kind == 'a' && x > 0.2"},
            {"name": "high-b", "require": "kind == 'a' || x > 0.5"},
        ],
        trials={"max": 20, "parallelism": 2},
    )
    assert workplace.run().returncode == 0
    seen = [line.split() for line in (folder / "seen").read_text().splitlines()]
    assert len(seen) == 20
    assert {kind for kind, _ in seen} == {"a", "b"}
    assert not [x for kind, x in seen if not (float(x) <= 0.2 if kind == "a" else float(x) > 0.5)]


def test_a_target_that_is_reached_ends_the_study(workplace: Workplace) -> None:
    """Once the target is met nothing more is launched, and the study has succeeded."""
    workplace.write(
        command=SCORE_IS_X,
        objectives=[{"metric": "score", "direction": "Maximize", "target": 0.5}],
        trials={"max": 100, "parallelism": 1},
    )
    done = workplace.run()
    assert done.returncode == 0
    assert "TargetReached" in done.stdout
    *before, last = [found.value or 0.0 for found in workplace.trials()]
    assert last >= 0.5
    assert not [value for value in before if value >= 0.5]


def test_initial_trials_go_first_and_the_rest_is_compared(workplace: Workplace) -> None:
    """Trial 0 is the baseline; a known result is imported; later lines say how they compare."""
    workplace.write(
        command=SCORE_IS_X,
        initialTrials=[
            {"name": "hand-tuned", "baseline": True, "parameters": {"x": 0.5}},
            {"name": "measured", "parameters": {"x": 0.6}, "metrics": {"score": 0.6}},
        ],
        trials={"max": 10, "parallelism": 1},
    )
    said = workplace.run().stdout
    trials = workplace.trials()
    assert [found.parameters["x"] for found in trials[:2]] == [0.5, 0.6]
    assert "trial 1 launched" not in said
    assert re.search(r"trial 1 imported: score 0\.6, BEST", said)
    words = {}
    for found in trials[2:]:
        match = re.search(rf"trial {found.number} Complete: .*?, (BEST|IMPROVED|WORSE) \(", said)
        assert match
        words[found.number] = match.group(1)
    best = 0.6
    for found in trials[2:]:
        value = found.value or 0.0
        expected = "BEST" if value > best else "IMPROVED" if value > 0.5 else "WORSE"
        assert words[found.number] == expected
        best = max(best, value)


def test_out_of_memory_is_tried_again_smaller(workplace: Workplace) -> None:
    """Exit code 70 halves the batch by the study's own rule, until it fits."""
    batch = "$KUBETUNE_PARAM_batch"
    body = f"[ {batch} -gt 16 ] && exit 70; report score={batch}"
    workplace.write(
        command=trial(body),
        fixed={"batch": 64},
        trials={
            "max": 2,
            "parallelism": 2,
            "retries": {"outOfMemory": 2},
            "onOutOfMemory": [{"name": "batch", "value": "batch / 2"}],
        },
    )
    done = workplace.run()
    assert done.returncode == 0
    assert "batch 64 -> 32" in done.stdout
    assert [(found.value, found.attempt) for found in workplace.trials()] == [(16.0, 3)] * 2
    retrain = (workplace.run_folder / "best_config.yaml").read_text()
    assert re.search(r"^  batch: 16$", retrain, re.MULTILINE)


def test_a_disrupted_trial_is_tried_again_as_it_was(workplace: Workplace) -> None:
    """Exit code 75 costs an attempt, not the trial: same parameters, same number."""
    body = """
    once="$KUBETUNE_CHECKPOINT_DIR/once"
    [ -e "$once" ] || { echo > "$once"; exit 75; }
    report score=$KUBETUNE_PARAM_x
    """
    workplace.write(command=trial(body))
    done = workplace.run()
    assert done.returncode == 0
    trials = workplace.trials()
    assert [(found.attempt, found.disruptions) for found in trials] == [(2, 1)] * 4
    assert [found.value for found in trials] == [found.parameters["x"] for found in trials]


def test_a_bad_configuration_is_never_tried_again(workplace: Workplace) -> None:
    """Exit code 64 says that another attempt would end the same."""
    workplace.write(command=trial("exit 64"), trials={"max": 2, "parallelism": 1})
    assert workplace.run().returncode == 1
    ends = [(found.attempt, found.outcome and found.outcome.reason) for found in workplace.trials()]
    assert ends == [(1, TrialReason.BAD_CONFIGURATION)] * 2


def test_a_broken_outcome_constraint_makes_a_trial_infeasible(workplace: Workplace) -> None:
    """The best value counts only where the measured limit is kept."""
    body = "report score=$KUBETUNE_PARAM_x memory=$KUBETUNE_PARAM_x"
    workplace.write(
        command=trial(body),
        outcomeConstraints=[{"metric": "memory", "max": 0.5}],
        trials={"max": 8, "parallelism": 2},
    )
    assert workplace.run().returncode == 0
    trials = workplace.trials()
    for found in trials:
        over = float(found.parameters["x"]) > 0.5
        assert found.state is (TrialState.INFEASIBLE if over else TrialState.COMPLETE)
    results = json.loads((workplace.run_folder / "results.json").read_text())
    kept = [found.value or 0.0 for found in trials if found.state is TrialState.COMPLETE]
    assert results["best"]["values"]["score"] == max(kept)


def test_two_objectives_end_in_a_front(workplace: Workplace) -> None:
    """No trial of the front is beaten in both; every other one is."""
    body = """
    cost=$(awk "BEGIN { print $KUBETUNE_PARAM_x * $KUBETUNE_PARAM_x + $KUBETUNE_PARAM_y }")
    report score=$KUBETUNE_PARAM_x cost=$cost
    """
    workplace.write(
        command=trial(body),
        objectives=[
            {"metric": "score", "direction": "Maximize"},
            {"metric": "cost", "direction": "Minimize"},
        ],
        parameters=[
            {"name": "x", "type": "Double", "min": 0, "max": 1},
            {"name": "y", "type": "Double", "min": 0, "max": 1},
        ],
        trials={"max": 12, "parallelism": 2},
    )
    done = workplace.run()
    assert done.returncode == 0
    front = json.loads((workplace.run_folder / "results.json").read_text())["paretoFront"]
    values = {found.number: found.outcome.values for found in workplace.trials() if found.outcome}
    beaten = {
        one
        for one, (score, cost) in values.items()
        if any(s >= score and c <= cost and (s, c) != (score, cost) for s, c in values.values())
    }
    assert set(front) == set(values) - beaten
    assert "Pareto" in done.stdout


def test_a_space_that_is_used_up_ends_the_study(workplace: Workplace) -> None:
    """A grid of three points has three trials, whatever `trials.max` says."""
    workplace.write(
        command=trial("report score=$KUBETUNE_PARAM_n"),
        parameters=[{"name": "n", "type": "Integer", "values": [1, 2, 4]}],
        sampler={"algorithm": "Grid"},
        trials={"max": 50, "parallelism": 2},
    )
    done = workplace.run()
    assert done.returncode == 0
    assert "SpaceExhausted" in done.stdout
    assert sorted(found.value or 0.0 for found in workplace.trials()) == [1.0, 2.0, 4.0]


def test_a_folder_that_cannot_be_made_is_named(workplace: Workplace) -> None:
    """One line says which folder and why, and that -o chooses another."""
    workplace.write()
    (workplace.run_folder.parent / "file").write_text("")
    workplace.run_folder = workplace.run_folder.parent / "file" / "out"
    done = workplace.run()
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(workplace.run_folder) in done.stderr
    assert "-o" in done.stderr


def test_a_damaged_database_is_named(workplace: Workplace) -> None:
    """No traceback, nothing overwritten, and a way on."""
    workplace.write(command=SCORE_IS_X)
    workplace.run()
    database = workplace.run_folder / "trials.sqlite3"
    database.write_text("no database" * 100)
    done = workplace.run()
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert f"the database in {workplace.run_folder} cannot be used" in done.stderr
    assert database.read_text() == "no database" * 100
