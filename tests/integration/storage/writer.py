"""A program that draws and tells trials of a study, heedless of others that do the same."""

import asyncio
import json
import sys
from pathlib import Path

from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.trial import Outcome, Trial
from tests.builders import NOW, make_outcome, make_study
from tests.fakes.clock import FakeClock

_ROOT = Path(__file__).parents[3]


class Writer:
    """The program as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, url: str, *, trials: int) -> "Writer":
        """Starts it; it ends once the study has so many trials and none runs."""
        words = (sys.executable, "-m", "tests.integration.storage.writer", url, str(trials))
        return cls(
            await asyncio.create_subprocess_exec(
                *words, cwd=_ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
        )

    async def told(self) -> list[int]:
        """The trials whose end it was, once it is done."""
        said, errors = await self._process.communicate()
        assert self._process.returncode == 0, errors.decode()
        return list(json.loads(said))


def outcome(trial: Trial) -> Outcome:
    """What every writer says of a trial."""
    return make_outcome(float(trial.parameters["x"]))


async def write(url: str, count: int) -> list[int]:
    """Draws until there are `count` trials and tells each; the trials that it told."""
    store = await OptunaStore.open(url, "study", make_study(), FakeClock())
    told = []
    while True:
        try:
            trials = await store.trials()
            running = [trial for trial in trials if not trial.state.ended]
            for trial in running:
                mine = await store.tell(trial.number, outcome(trial), NOW, NOW + 1)
                told += [trial.number] * mine
            if not running and len(trials) >= count:
                break
            if len(trials) < count:
                await store.draw(1)
        except StorageUnreachable:
            await asyncio.sleep(0.01)
    await store.close()
    return told


if __name__ == "__main__":
    print(json.dumps(asyncio.run(write(sys.argv[1], int(sys.argv[2])))))  # noqa: T201 - its answer
