"""A study around a trial: its environment, and the result it leaves behind."""

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Study:
    """What a launcher sets up for one attempt, and reads afterwards."""

    folder: Path

    def environ(self, **fields: Any) -> dict[str, str]:
        order = {
            "schema": 1,
            "study": "digits",
            "namespace": "default",
            "uid": "a1b2c3",
            "trial": 7,
            "attempt": 1,
            "stage": "search",
            "seed": 42,
            "objectives": ["accuracy"],
            "reportIntervalSeconds": 1.0,
            "resume": False,
            "parameters": {},
        }
        return {
            "KUBETUNE_TRIAL": json.dumps(order | fields),
            "KUBETUNE_CHECKPOINT_DIR": str(self.folder / "checkpoint"),
            "KUBETUNE_TERMINATION_LOG": str(self.result_file),
            "KUBETUNE_METRICS_HOST": "127.0.0.1",
        }

    @property
    def result_file(self) -> Path:
        return self.folder / "result.json"

    @property
    def result(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.result_file.read_bytes())
        return data


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


@pytest.fixture(autouse=True)
def sigterm_restored() -> Iterator[None]:
    """A study's trial keeps its SIGTERM handler until the process ends."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def exit_code() -> Callable[[Callable[[], object]], int]:
    """Runs something to the end and says how it exits."""

    def run(program: Callable[[], object]) -> int:
        try:
            program()
        except SystemExit as ending:
            return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        return 0

    return run
