"""All studies: what they do, what they hold, how they fail, and how the operator is."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import gpus, health, studies
from dashboards.colours import limits
from dashboards.frame import Drawn, chosen, framed, row
from dashboards.panels import (
    figure,
)
from dashboards.queries import now

SPACE = 'namespace=~"$namespace"'


def dashboard() -> Dashboard:
    """The front page: whoever runs the cluster begins here."""
    board = framed("fleet", "All studies of a cluster, and the operator that tunes them.", hours=6)
    spaces = "label_values(kubetune_study_phase, namespace)"
    board = board.with_variable(chosen("namespace", "Namespace", spaces, several=True))
    board = row(board, "", _figures())
    board = row(board, "Studies", studies.panels(SPACE))
    board = row(board, "GPUs", gpus.panels(SPACE))
    return row(board, "Operator", health.panels(SPACE))


def _figures() -> list[Drawn]:
    return [
        figure(
            "Studies by phase",
            "Studies by the phase that they are in.",
            "none",
            now(f"sum by (phase) ({_each('phase', 'phase')})", "{{phase}}"),
            span=8,
        ),
        figure(
            "Trials",
            "Trials that run, and trials that do not start: no node, no image, a queue.",
            "none",
            now(f"sum({_each('trials', state='Active')}) - sum({_each('waiting_trials')})", "run"),
            now(f"sum({_each('waiting_trials')})", "wait"),
        ),
        figure(
            "GPUs held",
            "GPUs that running trials hold. No value where no study asks for any.",
            "none",
            now(f"sum({_each('gpus')})"),
        ),
        figure(
            "GPU hours",
            "GPU hours that the studies which are there now have used. No value where none asks "
            "for any.",
            "none",
            now(f"sum({_each('gpu_hours')})"),
        ).decimals(1),
        figure(
            "Out of reach",
            "Studies that cannot reach their database, and those that cannot read live values: "
            "nothing is launched without the one, nothing is pruned without the other.",
            "none",
            now(f"sum(1 - {_each('storage_reachable', least=True)})", "database"),
            now(f"sum(1 - {_each('metrics_reachable', least=True)})", "live values"),
        ).thresholds(limits((1, "red"))),
    ]


def _each(name: str, *labels: str, least: bool = False, **matched: str) -> str:
    """One series for each study, whatever else the scrape has put on it."""
    kept = ", ".join(("namespace", "study", *labels))
    matchers = ",".join((SPACE, *(f'{label}="{text}"' for label, text in matched.items())))
    return f"{'min' if least else 'max'} by ({kept}) (kubetune_study_{name}{{{matchers}}})"
