"""An example's own manifest, with trials that only reckon: a course in seconds, for certain."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubetune.adapters.optuna.history import read_trials
from kubetune.domain.trial import Trial
from tests.integration.following import EXAMPLES

SECONDS = 900
"""A course that takes longer has hung, on the busiest machine too."""

PROGRAMS = Path(__file__).parents[1] / "programs"


class Scripted:
    """A study whose trials are a program of `tests/programs`; `spec` is laid over the manifest.

    The manifest is the full-size one, or `manifest` beside it, with `patches` of its own before.
    """

    def __init__(
        self,
        example: str,
        program: str,
        folder: Path,
        *,
        manifest: str = "study.yaml",
        patches: Sequence[Path] = (),
        command: Sequence[str] = (),
        **spec: Any,
    ) -> None:
        self.manifest = EXAMPLES / example / manifest
        self.folder = folder / "run"
        patch = folder / "scripted.json"
        self._patches = (*patches, patch)
        words = [*command] or [sys.executable, str(PROGRAMS / program)]
        trainer = {"name": "trainer", "command": words}
        metrics = {"source": "Prometheus", "intervalSeconds": 0.05}
        template = {"spec": {"containers": [trainer]}}
        patch.write_text(
            json.dumps({"spec": {"metrics": metrics, "trialTemplate": template, **spec}})
        )

    def run(self, *options: str, code: int = 0, seconds: float = SECONDS) -> str:
        """Runs it until the command ends by itself with this exit code; all that it says."""
        words = [sys.executable, "-m", "kubetune", "run", str(self.manifest), "--no-plots"]
        for patch in self._patches:
            words += ["--patch", str(patch)]
        done = subprocess.run(
            [*words, "-o", str(self.folder), *options],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def trials(self) -> tuple[Trial, ...]:
        """Every trial in the database."""
        database = self.folder / "trials.sqlite3"
        return read_trials(f"sqlite:///{database}", self.results()["study"])

    def results(self) -> dict[str, Any]:
        """What `results.json` holds."""
        return dict(json.loads((self.folder / "results.json").read_text()))
