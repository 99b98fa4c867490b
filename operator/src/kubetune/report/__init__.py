"""What a finished study leaves for people: best_config.yaml, results.json, REPORT.md, plots.

findings       everything that they say, worked out once
results        results.json
configuration  best_config.yaml
document       REPORT.md: a list of sections over the findings (sections, mattering, plotted)
advice         what follows from the figures
failures, pruned, top, spending, stability, importance   the figures behind sections and advice
measuring      works importance out, by a forest of trees
plots          PNG and pages
writing        all of it into a folder
"""

from kubetune.report.findings import unwritten
from kubetune.report.writing import Written, write

__all__ = ["Written", "unwritten", "write"]
