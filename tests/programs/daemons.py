"""Forks twice, leaves the session and lingers; with "clean", without its environment too."""

import os
import sys

if os.fork() == 0:
    os.setsid()
    if os.fork() > 0:
        os._exit(0)
    environment = dict(os.environ) if sys.argv[1] == "marked" else {}
    os.execve("/bin/sleep", ["sleep", "1000"], environment)
os.wait()
if sys.argv[1:] == ["marked", "stay"]:
    os.write(1, b"ready\n")
    os.execv("/bin/sleep", ["sleep", "1000"])
