"""`python -m bench [FIGURE ...]`: every performance figure as a ratio in one run."""

import argparse
import sys
from collections.abc import Iterable
from importlib import import_module

from bench.table import Figure, show

NAMES = ("startup", "draw", "quality", "course", "overhead", "cluster")
"""What is measured where no other is asked for."""

TRAINER = ("trial-time", "throughput")
"""What needs an environment with torch."""


def main() -> None:
    """Runs the named benchmarks; all by default but those of the trainer."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    words = f"which; by default all but {' and '.join(TRAINER)}, which need torch"
    parser.add_argument("figures", nargs="*", choices=[[], *NAMES, *TRAINER], help=words)
    parser.add_argument("--sampler", default="TPE", choices=["TPE", "GP"], help="for quality")
    words = "for quality and course, at least 20 to quote; by default 20, and 30"
    parser.add_argument("--seeds", type=int, help=words)
    parser.add_argument("--trials", type=int, default=200, help="for overhead")
    words = f"for cluster, {' and '.join(TRAINER)}: fewer of everything"
    parser.add_argument("--quick", action="store_true", help=words)
    options = parser.parse_args()
    for name in options.figures or NAMES:
        print(f"\n{name}", flush=True)
        show(_figures(name, options))


def _figures(name: str, options: argparse.Namespace) -> Iterable[Figure]:
    """Measures; only what that needs is imported."""
    module = import_module(f"bench.{name.replace('-', '_')}")
    given = {
        "quality": (options.sampler, options.seeds or 20),
        "course": (options.seeds or 30,),
        "overhead": (options.trials,),
        "trial-time": (1 if options.quick else 3,),
        "throughput": (20 if options.quick else 100,),
    }
    if name == "cluster":
        return module.figures(module.QUICK if options.quick else module.Size())
    return module.figures(*given.get(name, ()))


if __name__ == "__main__":
    sys.exit(main())
