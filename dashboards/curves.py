"""How the trials of a study learn, and when they run."""

from dashboards.colours import by_limits, limits
from dashboards.frame import Drawn
from dashboards.panels import lines, timeline
from dashboards.queries import over_time


def panels(study: str, own: str) -> list[Drawn]:
    """Of the trials of one study, by its labels on the operator's series and on theirs."""
    shown = f'{own},kubetune_io_trial=~"$trial"'
    curve = "max by (kubetune_io_trial, kubetune_io_attempt, name)"
    top = (
        f"label_replace(max by (trial) (kubetune_study_top_value{{{study}}} @ end()), "
        '"kubetune_io_trial", "$1", "trial", "(.*)")'
    )
    legend = "trial {{kubetune_io_trial}}, attempt {{kubetune_io_attempt}}"
    progress = f"max by (kubetune_io_trial) (kubetune_trial_progress_ratio{{{shown}}})"
    slots = timeline(
        "Slots",
        "A row for each trial while it runs, darker the further it is. A gap is a wait between two "
        "attempts. A program that says nothing of its progress has no row.",
        "percentunit",
        over_time(progress, "trial {{kubetune_io_trial}}"),
    )
    return [
        lines(
            "Learning curves",
            "The chosen metric of running and ended trials. A trial that is shorter than a scrape "
            "interval has no line; its result counts all the same.",
            "none",
            over_time(f'{curve} (kubetune_trial_metric{{{shown},name=~"$metric"}})', legend),
        ),
        lines(
            "Learning curves of the five best",
            "The same metric of those trials alone that are best by now.",
            "none",
            over_time(
                f'{curve} (kubetune_trial_metric{{{own},name=~"$metric"}}) '
                f"and on (kubetune_io_trial) {top}",
                legend,
            ),
        ),
        slots.thresholds(
            limits((0.25, "#8ab8ff"), (0.5, "#5794f2"), (0.75, "#1f60c4"), base="#c0d8ff")
        ).color_scheme(by_limits()),
    ]
