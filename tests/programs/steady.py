"""A trial that counts up to ten, and keeps a ledger of all that trials of its study do.

Its score is its `x`; in the finals a little less, by its seed, and on held-out data it reports
`test_score` as well.

Each line of the ledger is `word number attempt`: `begun`, `done` after the result is written,
`doubled` when another process works on the same trial, `stopped` and `resumed` at a checkpoint.
Arguments: the ledger, the seconds from begin to end.
"""

import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

ledger, seconds = Path(sys.argv[1]), float(sys.argv[2])
trial = json.loads(os.environ["KUBETUNE_TRIAL"])
checkpoint = Path(os.environ["KUBETUNE_CHECKPOINT_DIR"]) / "step"
STEPS = 10


def note(word: str) -> None:
    with ledger.open("a") as file:
        file.write(f"{word} {trial['trial']} {trial['attempt']}\n")


def stop(*_: object) -> None:
    checkpoint.write_text(str(step))
    note("stopped")
    os._exit(143)


held = (ledger.parent / f"held-{trial['trial']}").open("w")
try:
    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    note("doubled")
step = 0
signal.signal(signal.SIGTERM, stop)
note("begun")
if checkpoint.exists():
    step = int(checkpoint.read_text())
    note("resumed")
while step < STEPS:
    time.sleep(seconds / STEPS)
    step += 1
score = trial["parameters"]["x"]
if trial["stage"] != "search":
    score -= trial["seed"] / 1000
metrics = {"score": score}
if trial["stage"] == "heldout":
    metrics["test_score"] = score - 0.01
result = {
    "schema": 1,
    "state": "Complete",
    "message": "\x1b[31m[bold]&|`\u202e",
    "metrics": metrics,
}
draft = Path(os.environ["KUBETUNE_TERMINATION_LOG"]).with_suffix(".draft")
draft.write_text(json.dumps(result))
draft.replace(os.environ["KUBETUNE_TERMINATION_LOG"])
note("done")
