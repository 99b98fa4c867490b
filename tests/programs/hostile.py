"""A trial that does what its parameter `kind` says: good work, or one kind of harm."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

kind = json.loads(os.environ["KUBETUNE_TRIAL"])["parameters"]["kind"]
answer = Path(os.environ["KUBETUNE_TERMINATION_LOG"])


def write(**changes: object) -> None:
    result = {"schema": 1, "state": "Complete", "metrics": {"score": 1.0}} | changes
    answer.write_text(json.dumps(result))


def end(code: int = 0, **changes: object) -> None:
    write(**changes)
    sys.exit(code)


if kind.startswith("good"):
    time.sleep(0.3)
    end()
elif kind == "garbage":
    answer.write_text("\x1b[2J not JSON, \u202e[red]x[/]")
elif kind == "long":
    end(message="x" * 5120)
elif kind == "binary":
    answer.write_bytes(bytes(range(256)) * 4)
elif kind == "null-bytes":
    answer.write_bytes(b"\0" * 100)
elif kind == "nan":
    end(metrics={"score": "NaN"})
elif kind == "bare-nan":
    answer.write_text('{"schema": 1, "state": "Complete", "metrics": {"score": NaN}}')
elif kind == "another-trial":
    end(trial=99)
elif kind == "sql":
    message = "'; DROP TABLE trials; --"
    end(1, state="Failed", reason=message, message=message, metrics={"score": 0.0})
elif kind == "promql":
    end(metrics={"score": 1.0, 'x"} or on() vector(1) #': 1.0})
elif kind == "markup":
    end(1, state="Failed", message="[bold]x[/] <script>alert(1)</script> ${IFS} `id` $(id) {{x}}")
elif kind == "escapes":
    sys.stdout.write("\x1b]0;title\x07\x1b[2J\x1b[31mred")
    end(
        3,
        state="Failed",
        message="\x1b]0;title\x07\x1b[2J\x1b[31mred \u202e\r\n12:00:00 trial 0 won",
    )
elif kind == "nothing":
    pass
elif kind == "no-score":
    end(metrics={"loss": 1.0})
elif kind == "folder-as-result":
    answer.mkdir()
elif kind == "link-as-result":
    answer.symlink_to("/etc/passwd")
elif kind == "pipe-as-result":
    os.mkfifo(answer)
elif kind == "flood":
    block = ("x" * 1023 + "\n") * 1024
    for _ in range(64):
        sys.stdout.write(block)
    end()
elif kind == "daemon":
    subprocess.Popen(
        [sys.executable, "-I", "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    end()
elif kind == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(1)
elif kind == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
elif kind == "vandal":
    write()
    shutil.rmtree(answer.parent)
