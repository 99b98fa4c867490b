"""`python -m bench [FIGURE ...]`: every performance figure as a ratio in one run."""

import argparse
import sys

from bench.table import show


def main() -> None:
    """Runs the named benchmarks, all by default."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = ("startup", "draw", "quality", "overhead", "cluster")
    parser.add_argument("figures", nargs="*", choices=[[], *names], help="which; all by default")
    parser.add_argument("--sampler", default="TPE", choices=["TPE", "GP"], help="for quality")
    parser.add_argument("--seeds", type=int, default=20, help="for quality, at least 20 to quote")
    parser.add_argument("--trials", type=int, default=200, help="for overhead")
    parser.add_argument("--quick", action="store_true", help="for cluster: fewer of everything")
    options = parser.parse_args()
    for name in options.figures or names:
        print(f"\n{name}", flush=True)
        if name == "startup":
            from bench import startup

            show(startup.figures())
        elif name == "draw":
            from bench import draw

            show(draw.figures())
        elif name == "quality":
            from bench import quality

            show(quality.figures(options.sampler, options.seeds))
        elif name == "cluster":
            from bench import cluster

            show(cluster.figures(cluster.QUICK if options.quick else cluster.Size()))
        else:
            from bench import overhead

            show(overhead.figures(options.trials))


if __name__ == "__main__":
    sys.exit(main())
