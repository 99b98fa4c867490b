"""Start-up of `kubetune run`: from process start to the first trial's start, and its memory."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.processes import environment
from bench.table import Figure

STUDY = """\
apiVersion: kubetune.io/v1alpha1
kind: TuningStudy
metadata: {name: startup}
spec:
  objectives: [{metric: loss, direction: Minimize}]
  parameters:
  - {name: a, type: Double, min: 1e-6, max: 1e-2, scale: Log}
  - {name: b, type: Double, min: 0, max: 1}
  trials: {max: 20, parallelism: 2}
  trialTemplate:
    spec:
      containers:
      - name: trainer
        image: none
        command:
        - sh
        - -c
        - >-
          date +%s.%N > "first-$$$$";
          printf '{"schema": 1, "state": "Complete", "metrics": {"loss": 1}}'
          > "$KUBETUNE_TERMINATION_LOG"
"""


def figures(runs: int = 7) -> list[Figure]:
    """Medians over some runs; the floor is importing Optuna, which every tuner on it pays."""
    ours, floors, memory = [], [], []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import optuna"], check=True, env=environment())
        floors.append(time.perf_counter() - begin)
        first, peak = _run()
        ours.append(first)
        memory.append(peak)
    first = statistics.median(ours)
    return [
        Figure("seconds to the first launch, against 1 s", first, 1.0, 1.0, "s"),
        Figure("the same, against `import optuna`", first, statistics.median(floors), None, "s"),
        Figure(
            "peak memory of the tuner, against 120 MB", statistics.median(memory), 120, 1.0, "MB"
        ),
    ]


def _run() -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "study.yaml").write_text(STUDY)
        command = [sys.executable, "-m", "kubetune", "run", "study.yaml", "-o", "run"]
        begin = time.time()
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, env=environment()
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        first = min(float(path.read_text()) for path in Path(folder).glob("first-*"))
        return first - begin, usage.ru_maxrss * 1024 / 1e6
