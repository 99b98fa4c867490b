"""The reference of all metrics as Markdown, generated from their declarations.

`python -m kubetune.adapters.prometheus.reference FILE` writes it there; without a file it is
printed.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from kubetune.adapters.prometheus.credentials import PREFIX
from kubetune.adapters.prometheus.families import FAMILIES
from kubetune.domain import samples

HEADER = """\
# Metrics

<!-- Generated from the declarations by `make generate`; edit those instead. -->

## Of the operator

Shown on `--metrics-address`, path `/metrics`. Series of a study end when it is deleted. Of its
trials only the five best are labels.

The label `namespace` is the study's. A monitor of the operator needs `honorLabels: true`: else the
label is called `exported_namespace`, and dashboards and alerts find nothing.

| metric | kind | labels | |
|---|---|---|---|
"""

TRIALS = f"""
## Of a trial

Shown by the trial on `KUBETUNE_METRICS_PORT`. The scrape puts the labels `kubetune_io_study`,
`kubetune_io_study_uid`, `kubetune_io_trial` and `kubetune_io_attempt` (from the pod's labels),
`namespace` and `pod` on each series; `honor_labels` must be off, so that a trial cannot write them
itself. Set limits on samples and label lengths of a scrape: trials are strangers' programs.

| metric | is |
|---|---|
| `{samples.METRIC}{{name}}` | a value; the name is a letter or `_`, then letters, digits, `_` |
| `{samples.METRIC_STEP}{{name}}` | the step that this value belongs to |
| `{samples.STEP}` | the step of the values that name none |
| `{samples.PROGRESS}` | how much of the trial is done, 0 to 1 |

The operator shows itself to Prometheus by `{PREFIX}TOKEN_FILE`, or by `{PREFIX}USERNAME`
and `{PREFIX}PASSWORD_FILE`, and trusts `{PREFIX}CA_FILE` where it is set: variables
of its environment.

At most {samples.METRIC_LIMIT} values of a trial are taken. Of two ports that show one trial, the
one at the greater step is read. Last values of an ended trial are looked for up to ten minutes
back.

## Of the study's own queries

`metrics.queries` maps a name to PromQL, for containers that know nothing of kubetune. Each query is
asked once for all trials, every `metrics.intervalSeconds`.

- `namespace="<the study's>"` is put into every selector; a query of which that cannot be said for
  certain is refused. An exporter such as DCGM's must therefore keep the workload's own namespace
  and pod (`honorLabels: true` in its monitor).
- A result belongs to the trial whose `kubetune_io_trial` it carries, or whose pod its label `pod`
  or `exported_pod` names. Without either, and of several results for one trial, none is taken, and
  the study's status says so. Keep the label: `avg by (pod) (...)`.
- The value counts at the newest step that the trial reports; a trial that reports none has the
  whole seconds since its start as steps.
- A computed value that is not finite is no value: 0/0 means that there is no data yet. A query that
  only selects a series passes NaN on, and a NaN of the objective ends the trial as Diverged.
- A query's value replaces one that the trial reports under the same name.
- A run that ended is asked for as of its end.
"""


def render() -> str:
    """The whole page."""
    return HEADER + "\n".join(_rows()) + "\n" + TRIALS


def _rows() -> Iterator[str]:
    for family in FAMILIES:
        labels = ", ".join(f"`{label}`" for label in family.labels)
        yield f"| `{family.name}` | {family.kind} | {labels} | {family.help} |"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(render())
    else:
        sys.stdout.write(render())
