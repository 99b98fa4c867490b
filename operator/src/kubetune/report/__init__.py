"""What a finished study leaves for people: best_config.yaml, results.json, REPORT.md.

findings       everything that the three say, worked out once
results        results.json
configuration  best_config.yaml
document       REPORT.md, of sections; advice, failures, pruned and top have their figures
writing        all three into a folder
"""

from kubetune.report.findings import unwritten
from kubetune.report.writing import Written, write

__all__ = ["Written", "unwritten", "write"]
