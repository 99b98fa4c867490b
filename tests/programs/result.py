"""Leaves something at the place of the termination message that is not one."""

import os
import sys
from pathlib import Path

place = Path(os.environ["KUBETUNE_TERMINATION_LOG"])
match sys.argv[1]:
    case "folder":
        (place / "inner").mkdir(parents=True)
    case "link":
        place.symlink_to("/etc/passwd")
    case "pipe":
        os.mkfifo(place)
    case "huge":
        place.write_bytes(b"x" * 10_000_000)
    case "binary":
        place.write_bytes(bytes(range(256)))
