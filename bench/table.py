"""One figure of a benchmark, and the table of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, ours and the peer's in the same run, and the ratio that was aimed for."""

    name: str
    ours: float
    peer: float
    goal: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def ratio(self) -> float:
        return self.ours / self.peer


def show(figures: Iterable[Figure]) -> None:
    """Prints a line a figure; a ratio without a peer is against the goal itself."""
    for figure in figures:
        goal = f"goal <= {figure.goal:g}" if figure.goal is not None else ""
        met = "" if figure.goal is None else "met" if figure.ratio <= figure.goal else "NOT MET"
        print(
            f"{figure.name:<52} {figure.ours:>9.4g} / {figure.peer:<9.4g} {figure.unit:<4}"
            f" ratio {figure.ratio:6.3f}  {goal:<13} {met:<8}{figure.note}",
            flush=True,
        )
