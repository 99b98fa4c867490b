"""One study: how far it is, what is best, how trials learn and end, what it costs."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import curves, ranks
from dashboards.colours import by_limits, limits
from dashboards.frame import Drawn, framed, metrics, of_study, row, trials
from dashboards.panels import (
    QUARTER,
    figure,
    lines,
    shares,
    stacked,
    word,
)
from dashboards.queries import now, over_time

STUDY = 'namespace="$namespace",study="$study"'
OWN = 'namespace="$namespace",kubetune_io_study="$study"'


def dashboard() -> Dashboard:
    """What somebody looks at who has just applied a study."""
    board = framed("study", "One study: its best, its trials, what they cost.", hours=24)
    board = of_study(board).with_variable(trials(OWN, several=True)).with_variable(metrics(OWN))
    board = row(board, "", _figures())
    board = row(board, "The best", ranks.panels(STUDY))
    board = row(board, "Learning", curves.panels(STUDY, OWN))
    board = row(board, "How trials end", _ends())
    return row(board, "What it costs", _costs())


def _figures() -> list[Drawn]:
    return [
        word(
            "Phase",
            "The phase that the study is in.",
            now(f"max by (phase) (kubetune_study_phase{{{STUDY}}})", "{{phase}}"),
        ),
        figure(
            "Best",
            "The best trial's value of the first objective.",
            "none",
            now(f"max by (metric) (kubetune_study_best_value{{{STUDY}}})", "{{metric}}"),
        ),
        figure(
            "Better than the baseline",
            "How much better the best is than the baseline; no value without a baseline.",
            "percentunit",
            now(f"max by (metric) (kubetune_study_improvement_ratio{{{STUDY}}})"),
        ).decimals(1),
        figure(
            "Trials",
            "Trials by the state that they are in.",
            "none",
            now(f"max by (state) (kubetune_study_trials{{{STUDY}}})", "{{state}}"),
            span=8,
        ),
        figure(
            "GPU hours",
            "GPU hours used until now; no value where trials ask for none.",
            "none",
            now(f"max(kubetune_study_gpu_hours{{{STUDY}}})"),
        ).decimals(2),
    ]


def _ends() -> list[Drawn]:
    ended = f'kubetune_study_ended_trials{{{STUDY},state!="Complete"}}'
    rejected = f"max by (constraint) (kubetune_study_rejected_draws_total{{{STUDY}}})"
    return [
        stacked(
            "Trials by state",
            "All trials of the study.",
            "none",
            over_time(f"max by (state) (kubetune_study_trials{{{STUDY}}})", "{{state}}"),
        ),
        stacked(
            "Pruned, failed and infeasible trials",
            "Trials that ended without a result that counts, by reason.",
            "none",
            over_time(f"max by (state, reason) ({ended})", "{{state}}: {{reason}}"),
        ),
        shares(
            "Outcomes",
            "Ended trials in each of the study's own outcome classes.",
            "none",
            now(f"max by (outcome) (kubetune_study_outcome_trials{{{STUDY}}})", "{{outcome}}"),
        ),
        shares(
            "Rejected draws",
            "Draws that a constraint turned down; they never became trials.",
            "none",
            now(rejected, "{{constraint}}"),
        ),
    ]


def _costs() -> list[Drawn]:
    active = f'max(kubetune_study_trials{{{STUDY},state="Active"}})'
    waiting = f"max(kubetune_study_waiting_trials{{{STUDY}}})"
    budget = shares(
        "Budget used",
        "How much of each limit is used: trials always, GPU hours and time where they are limited.",
        "percentunit",
        now(f"max by (budget) (kubetune_study_budget_used_ratio{{{STUDY}}})", "{{budget}}"),
        span=QUARTER,
    )
    return [
        budget.max(1).thresholds(limits((0.8, "orange"), (1.0, "red"))).color_scheme(by_limits()),
        stacked(
            "GPUs held",
            "GPUs that running trials hold. Nothing where trials ask for none.",
            "none",
            over_time(f"max(kubetune_study_gpus{{{STUDY}}})", "GPUs"),
            span=QUARTER,
        ),
        lines(
            "GPU hours over time",
            "GPU hours used until now. Nothing where trials ask for none.",
            "none",
            over_time(f"max(kubetune_study_gpu_hours{{{STUDY}}})", "GPU hours"),
            span=QUARTER,
        ),
        stacked(
            "Trials that run and wait",
            "Trials on a slot, and those that do not start, by what they wait for.",
            "none",
            over_time(f"{active} - {waiting}", "run"),
            over_time(f"max by (reason) (kubetune_study_waits{{{STUDY}}}) > 0", "{{reason}}"),
            span=QUARTER,
        ),
    ]
