"""`causal-lm` in a process that gets only so many MiB more, once its model and data are loaded.

What a GPU of fixed size does to a batch that is too large, on any machine: the allocation itself
fails, in torch, amid a step.
"""

import resource
import sys
from pathlib import Path
from typing import Any

from kubetune_trainer.main import run
from kubetune_trainer.recipes import causal_lm

MEBIBYTE = 2**20

more_bytes = int(sys.argv.pop()) * MEBIBYTE
build = causal_lm.build


def build_then_limit(*given: Any) -> Any:
    """As the recipe does; from then on the process's memory is limited."""
    built = build(*given)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + more_bytes, held + more_bytes))
    return built


causal_lm.build = build_then_limit
run(causal_lm.train)
