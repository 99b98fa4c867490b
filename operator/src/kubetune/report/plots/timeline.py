"""Timeline: which trial ran on which slot, when, and how it ended."""

from typing import TYPE_CHECKING

from kubetune.report import markdown
from kubetune.report.findings import Findings
from kubetune.report.plots import slots, style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMED = 60
"""Up to so many trials have their number on their bar."""


def draw(findings: Findings) -> "Figure | LeftOut":
    """One row a slot, a bar for each trial, coloured by its end."""
    plan = slots.schedule(findings.trials)
    if not plan.spans or not plan.length > 0:
        return LeftOut("no trial has run yet")
    seconds, name = slots.unit(plan.length)
    drawn = style.figure(height=2.0 + min(0.42 * plan.slots, 9.0))
    panel = drawn.subplots()
    for state, colour in style.COLOURS.items():
        these = [span for span in plan.spans if span.trial.state is state]
        if these:
            panel.barh(
                [span.slot for span in these],
                [(span.end - span.start) / seconds for span in these],
                left=[span.start / seconds for span in these],
                color=colour,
                height=0.78,
                edgecolor="white",
                linewidth=0.5 if len(plan.spans) < 300 else 0.1,  # noqa: PLR2004 - edges would cover bars
                label=f"{state.value}: {len(these)}",
            )
    if len(plan.spans) <= NAMED:
        for span in plan.spans:
            if span.end - span.start > 0.02 * plan.length:
                middle = (span.start + span.end) / 2 / seconds
                panel.text(
                    middle,
                    span.slot,
                    str(span.trial.number),
                    ha="center",
                    va="center",
                    color="white",
                    fontsize=8,
                )
    for time, length in plan.pauses:
        panel.axvline(time / seconds, color=style.BEST, ls=":", lw=1.2)
        panel.text(
            time / seconds,
            plan.slots - 0.45,
            f" {markdown.duration(length)} of pause",
            fontsize=8,
            va="bottom",
        )
    panel.set_yticks(range(plan.slots) if plan.slots <= 32 else range(0, plan.slots, 8))  # noqa: PLR2004 - room
    panel.set_yticklabels([str(int(slot) + 1) for slot in panel.get_yticks()])
    panel.set_ylim(-0.6, plan.slots - (0.1 if plan.pauses else 0.4))
    panel.set_xlim(0, plan.length / seconds * 1.005)
    panel.grid(visible=False, axis="y")
    panel.set_xlabel(f"{name} since the first start")
    panel.set_ylabel("slot")
    panel.set_title(
        f"{len(plan.spans)} trials on {plan.slots} slot{'s' if plan.slots != 1 else ''}"
    )
    style.legend_below(drawn, panel)
    return drawn
