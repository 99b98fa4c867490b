"""Draws that constraints turned down, a bar for each constraint."""

from typing import TYPE_CHECKING

from kubetune.report.findings import Findings
from kubetune.report.plots import style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KINDS = {True: ("hard: never launched", "#c1272d"), False: ("soft: drawn less often", "#e69f00")}
MOST = 25


def draw(findings: Findings) -> "Figure | LeftOut":
    """Bars, the longest on top, with their figures."""
    bars = counted(findings)
    if not bars:
        return LeftOut("no draw was turned down")
    shown = list(reversed(bars[:MOST]))
    drawn = style.figure(height=1.9 + 0.45 * len(shown))
    panel = drawn.subplots()
    for hard, (label, colour) in KINDS.items():
        places = [place for place, (_, _, kind) in enumerate(shown) if kind is hard]
        if places:
            panel.barh(
                places,
                [shown[place][1] for place in places],
                color=colour,
                height=0.65,
                label=label,
            )
    unknown = [place for place, (_, _, kind) in enumerate(shown) if kind is None]
    if unknown:
        panel.barh(
            unknown,
            [shown[place][1] for place in unknown],
            color=style.COLOURS_OF_BARS[True],
            height=0.65,
        )
    longest = max(number for _, number, _ in shown)
    for place, (_, number, _) in enumerate(shown):
        panel.text(number + longest * 0.01, place, str(number), va="center", fontsize=9)
    panel.set_xlim(0, longest * 1.1)
    panel.set_ylim(-0.6, len(shown) - 0.4)
    panel.set_yticks(range(len(shown)), [style.wrapped(name, 34, 2) for name, _, _ in shown])
    panel.grid(visible=False, axis="y")
    style.whole_numbers(panel)
    panel.set_xlabel("draws turned down")
    panel.set_title(f"{len(findings.trials)} trials were drawn")
    style.legend_below(drawn, panel)
    return drawn


def counted(findings: Findings) -> list[tuple[str, int, bool | None]]:
    """Name, draws and whether it is hard, most first; None where only the database is at hand."""
    rules = {rule.name: rule.hard for rule in findings.spec.space.constraints}
    found = [(name, number, rules.get(name)) for name, number in findings.counts.rejected.items()]
    return sorted((entry for entry in found if entry[1]), key=lambda entry: (-entry[1], entry[0]))
