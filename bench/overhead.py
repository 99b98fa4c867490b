"""Engine overhead: the same trial programs by `kubetune run`, bare, and by a plain Optuna loop.

All three are whole processes, start-up included, and keep two trials running at a time.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.processes import environment
from bench.table import Figure

PROGRAM = (
    "sleep {seconds}; "
    'printf \'{{"schema": 1, "state": "Complete", "metrics": {{"loss": %s}}}}\' "$X"'
    ' > "$KUBETUNE_TERMINATION_LOG"'
)

STUDY = """\
apiVersion: kubetune.io/v1alpha1
kind: TuningStudy
metadata: {{name: overhead}}
spec:
  objectives: [{{metric: loss, direction: Minimize}}]
  parameters:
  - {{name: a, type: Double, min: 1e-6, max: 1e-2, scale: Log}}
  - {{name: b, type: Double, min: 0, max: 1}}
  - {{name: c, type: Integer, min: 1, max: 64}}
  - {{name: d, type: Categorical, values: [x, y, z]}}
  sampler: {{algorithm: TPE, seed: 1}}
  trials: {{max: {trials}, parallelism: 2}}
  trialTemplate:
    spec:
      containers:
      - name: trainer
        image: none
        command: [sh, -c, 'X=$KUBETUNE_PARAM_b; {program}']
"""

BARE = """\
import os, subprocess, sys
from concurrent.futures import ThreadPoolExecutor
def trial(number):
    subprocess.run(["sh", "-c", sys.argv[2]], check=True, env={**os.environ, "X": "0.5",
        "KUBETUNE_TERMINATION_LOG": os.path.join(sys.argv[3], f"bare-{number}")})
with ThreadPoolExecutor(2) as pool:
    list(pool.map(trial, range(int(sys.argv[1]))))
"""

OPTUNA = """\
import json, os, subprocess, sys
import optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)
def objective(trial):
    trial.suggest_float("a", 1e-6, 1e-2, log=True)
    b = trial.suggest_float("b", 0, 1)
    trial.suggest_int("c", 1, 64)
    trial.suggest_categorical("d", ["x", "y", "z"])
    path = os.path.join(sys.argv[3], f"optuna-{trial.number}")
    subprocess.run(["sh", "-c", sys.argv[2]], check=True, env={**os.environ, "X": str(b),
        "KUBETUNE_TERMINATION_LOG": path})
    with open(path) as file:
        return json.load(file)["metrics"]["loss"]
study = optuna.create_study(storage=f"sqlite:///{sys.argv[3]}/optuna.sqlite3",
    sampler=optuna.samplers.TPESampler(seed=1))
study.optimize(objective, n_trials=int(sys.argv[1]), n_jobs=2)
"""


def figures(trials: int = 200, seconds: tuple[float, ...] = (0, 1)) -> list[Figure]:
    """Seconds for `trials` trials that each sleep so long; instant and one-second ones."""
    found = []
    for length in seconds:
        ours, bare, loop = (_time(kind, trials, length) for kind in ("kubetune", "bare", "optuna"))
        name = f"{trials} trials of {length:g} s, 2 at a time"
        if length:
            found.append(Figure(f"{name}, against bare launches", ours, bare, 1.03, "s"))
            found.append(Figure(f"{name}, against an Optuna loop", ours, loop, None, "s"))
        else:
            found.append(Figure(f"{name}, against an Optuna loop", ours, loop, 0.8, "s"))
            found.append(Figure(f"{name}, against bare launches", ours, bare, None, "s"))
    return found


def _time(kind: str, trials: int, seconds: float) -> float:
    program = PROGRAM.format(seconds=seconds) if seconds else PROGRAM.format(seconds=0)[9:]
    with tempfile.TemporaryDirectory() as folder:
        if kind == "kubetune":
            study = Path(folder, "study.yaml")
            text = program.replace("'", "''")
            study.write_text(STUDY.format(trials=trials, program=text))
            command = [sys.executable, "-m", "kubetune", "run", str(study), "-o", f"{folder}/run"]
        else:
            source = BARE if kind == "bare" else OPTUNA
            command = [sys.executable, "-c", source, str(trials), program, folder]
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment())
        return time.perf_counter() - begin
