"""One trial: its curves, rates, norms, speed and memory."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import machine
from dashboards.frame import Drawn, framed, metrics, of_study, row, trials
from dashboards.panels import (
    THIRD,
    figure,
    lines,
    logarithmic,
)
from dashboards.queries import EACH, now, over_time, reported

OWN = 'namespace="$namespace",kubetune_io_study="$study"'
TRIAL = f'{OWN},kubetune_io_trial="$trial"'
_SCORES = ".*(accuracy|score|precision|recall|f1|fraction|match|perplexity).*"


def dashboard() -> Dashboard:
    """What somebody looks at who wonders why a trial does what it does."""
    board = framed("trial", "One trial: its curves, rates, norms, speed and memory.", hours=24)
    board = of_study(board).with_variable(trials(OWN)).with_variable(metrics(TRIAL, several=True))
    board = row(board, "", _figures())
    board = row(board, "Learning", _curves())
    board = row(board, "Optimizer", _optimizer())
    board = row(board, "Speed and memory", machine.panels(TRIAL))
    return row(board, "Any metric", [_any()])


def _figures() -> list[Drawn]:
    place = 'kubetune_study_top_value{namespace="$namespace",study="$study",trial="$trial"}'
    return [
        figure(
            "Progress",
            "How much of the trial is done, as it says; of an ended one, as it last said.",
            "percentunit",
            now(f"max(last_over_time(kubetune_trial_progress_ratio{{{TRIAL}}}[$__range]))"),
            span=6,
        ),
        figure(
            "Step",
            "The newest step that the trial has reported.",
            "none",
            now(f"max(last_over_time(kubetune_trial_step{{{TRIAL}}}[$__range]))"),
            span=6,
        ),
        figure(
            "Attempts",
            "How often the trial was seen to run: again after a disruption or lack of memory.",
            "none",
            now(
                "count(count by (kubetune_io_attempt) "
                f"(last_over_time(kubetune_trial_progress_ratio{{{TRIAL}}}[$__range])))"
            ),
            span=6,
        ),
        figure(
            "Among the five best",
            "The trial's value of the first objective while it is one of the five best, by rank.",
            "none",
            now(f"max by (rank) ({place})", "rank {{rank}}"),
            span=6,
        ),
    ]


def _curves() -> list[Drawn]:
    return [
        lines(
            "Losses",
            "Metrics with loss in their name.",
            "none",
            over_time(reported(TRIAL, ".*loss.*"), EACH),
        ),
        lines(
            "Evaluation",
            "Other metrics of evaluation: accuracies, scores, shares.",
            "none",
            over_time(reported(TRIAL, _SCORES), EACH),
        ),
        lines(
            "Steps",
            "The newest step that the trial has reported.",
            "none",
            over_time(
                f"max by (kubetune_io_attempt) (kubetune_trial_step{{{TRIAL}}})",
                "attempt {{kubetune_io_attempt}}",
            ),
        ),
        lines(
            "Progress over time",
            "How much of the trial is done, as it says.",
            "percentunit",
            over_time(
                f"max by (kubetune_io_attempt) (kubetune_trial_progress_ratio{{{TRIAL}}})",
                "attempt {{kubetune_io_attempt}}",
            ),
        )
        .min(0)
        .max(1),
    ]


def _optimizer() -> list[Drawn]:
    return [
        logarithmic(
            lines(
                "Learning rate",
                "The learning rate; of each group of parameters where there are several.",
                "sci",
                over_time(reported(TRIAL, "learning_rate(_.+)?"), EACH),
                span=THIRD,
            )
        ),
        logarithmic(
            lines(
                "Norms",
                "Norms of gradients and weights.",
                "none",
                over_time(reported(TRIAL, ".+_norm"), EACH),
                span=THIRD,
            )
        ),
        lines(
            "Explosions and skipped steps",
            "Steps whose gradient was far above the usual, and steps that were left out because "
            "nothing finite came, since the trial began.",
            "none",
            over_time(reported(TRIAL, "gradient_explosions|skipped_steps"), EACH),
            span=THIRD,
        ),
    ]


def _any() -> Drawn:
    return (
        lines(
            "$metric",
            "A metric as it is reported; which of them is chosen above.",
            "none",
            over_time(reported(TRIAL, "$metric"), "attempt {{kubetune_io_attempt}}"),
        )
        .repeat("metric")
        .max_per_row(3)
    )
