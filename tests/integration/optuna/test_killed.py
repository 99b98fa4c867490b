"""A tuner that is killed between a draw and a launch leaves one running trial, and only one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from optuna.trial import TrialState as OptunaState

from kubetune.adapters.optuna.mirror import Mirror
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.trial import TrialState
from tests.fakes.clock import FakeClock
from tests.unit.adapters.optuna.studies import study

ROOT = Path(__file__).parents[3]
PROGRAM = """
import asyncio, json, os, signal, sys
from kubetune.adapters.optuna.store import OptunaStore
from tests.fakes.clock import FakeClock
from tests.unit.adapters.optuna.studies import study

async def main():
    store = await OptunaStore.open(sys.argv[1], "study", study(), FakeClock())
    drawn = await store.draw(1)
    heavy = [name for name in ("optuna", "scipy", "torch", "sqlalchemy.orm") if name in sys.modules]
    print(json.dumps([drawn.trials[0].parameters, heavy]), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, object], list[str]]:
    """The URL of a killed tuner, the trial that it drew and the heavy modules that it loaded."""
    url = f"sqlite:///{tmp_path_factory.mktemp('killed')}/study.db"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, url], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -9, done.stderr
    parameters, heavy = json.loads(done.stdout)
    return url, parameters, heavy


async def test_the_drawn_trial_is_there_once(
    killed: tuple[str, dict[str, object], list[str]],
) -> None:
    """Reopened, the study has the drawn trial, running, and the sampler knows that it runs."""
    url, parameters, _ = killed
    store = await OptunaStore.open(url, "study", study(), FakeClock())
    (trial,) = await store.trials()
    assert (trial.state, trial.parameters) == (TrialState.RUNNING, parameters)
    mirror = Mirror(study(), Coordinates(study().space))
    mirror.sync(store._records)
    assert [item.state for item in mirror.shelf.get_all_trials(0)] == [OptunaState.RUNNING]
    await store.close()


def test_the_first_launch_waits_for_no_model(
    killed: tuple[str, dict[str, object], list[str]],
) -> None:
    """Opening a study and drawing its first trial load neither Optuna nor anything as heavy."""
    assert killed[2] == []
