"""The environment of a local trial."""

import json
from pathlib import Path

from kubetune.adapters.local.environment import contract, inherited
from kubetune.adapters.local.files import RunFiles
from kubetune.domain.trial import Stage
from tests.unit.adapters.local.runs import make_order


def make_contract(folder: Path, **trial: object) -> dict[str, str]:
    files = RunFiles(folder, 4, 2)
    files.prepare()
    return contract(make_order(4, "true", attempt=2, **trial), files, "mark", 9464)


def test_parameters_are_written_for_any_language(tmp_path: Path) -> None:
    """Floats keep every digit, truths are lower case, text is itself."""
    values = {"rate": 6e-05, "third": 1 / 3, "n": 3, "on": True, "off": False, "text": "a b"}
    variables = make_contract(tmp_path, parameters=values)
    found = {name: variables[f"KUBETUNE_PARAM_{name}"] for name in values}
    assert found == {
        "rate": "6e-05",
        "third": "0.3333333333333333",
        "n": "3",
        "on": "true",
        "off": "false",
        "text": "a b",
    }


def test_the_description_holds_everything(tmp_path: Path) -> None:
    """`KUBETUNE_TRIAL` tells the whole trial, with parameters in their own kinds."""
    variables = make_contract(
        tmp_path, parameters={"on": True, "rate": 0.1}, seed=9, stage=Stage.FINALIST
    )
    assert json.loads(variables["KUBETUNE_TRIAL"]) == {
        "schema": 1,
        "study": "study",
        "namespace": "default",
        "uid": "study-uid",
        "trial": 4,
        "attempt": 2,
        "stage": "finalist",
        "seed": 9,
        "objectives": ["accuracy"],
        "reportIntervalSeconds": 10.0,
        "resume": False,
        "parameters": {"on": True, "rate": 0.1},
    }


def test_resume_says_whether_there_is_a_checkpoint(tmp_path: Path) -> None:
    """An attempt resumes when an earlier one left something in the trial's checkpoint folder."""
    first = RunFiles(tmp_path, 4, 1)
    first.prepare()
    (first.checkpoint / "step-7").touch()
    assert json.loads(make_contract(tmp_path)["KUBETUNE_TRIAL"])["resume"] is True


def test_paths_are_of_this_trial_and_attempt(tmp_path: Path) -> None:
    """The checkpoint folder belongs to the trial, the termination file to the attempt."""
    variables = make_contract(tmp_path)
    trial = tmp_path / "trials" / "4"
    assert variables["KUBETUNE_CHECKPOINT_DIR"] == str(trial / "checkpoint")
    assert variables["KUBETUNE_TERMINATION_LOG"] == str(trial / "attempt-2.result")
    assert variables["KUBETUNE_METRICS_HOST"] == "127.0.0.1"
    assert variables["KUBETUNE_METRICS_PORT"] == "9464"


def test_the_users_environment_is_inherited() -> None:
    """A trial runs as its user, with the user's variables."""
    assert inherited({"HOME": "/home/ada"}, 1)["HOME"] == "/home/ada"


def test_an_outer_trial_is_not_inherited() -> None:
    """A tuner that runs inside a trial does not pass that trial on to its own."""
    outer = {"KUBETUNE_PARAM_x": "1", "KUBETUNE_TRIAL": "{}", "KUBETUNE_RUN_ID": "outer"}
    assert not set(outer) & set(inherited(outer, 1))


def test_cores_are_shared_out() -> None:
    """Each of many parallel trials gets at least one thread, never more than its share."""
    assert inherited({}, 10_000)["OMP_NUM_THREADS"] == "1"
    whole = int(inherited({}, 1)["OMP_NUM_THREADS"])
    assert int(inherited({}, 2)["OMP_NUM_THREADS"]) == max(1, whole // 2)


def test_the_users_threads_count() -> None:
    """A thread count that the user set is left as it is."""
    assert inherited({"OMP_NUM_THREADS": "7"}, 4)["OMP_NUM_THREADS"] == "7"
