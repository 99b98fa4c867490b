"""One figure of a benchmark, and the table of all of them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, ours and the peer's in the same run, and the ratio that was aimed for.

    `goal` is the most that the ratio may be, with `at_least` the least.
    """

    name: str
    ours: float
    peer: float
    goal: float | None = None
    unit: str = ""
    note: str = ""
    at_least: bool = False

    @property
    def ratio(self) -> float:
        return self.ours / self.peer

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal


def show(figures: Iterable[Figure]) -> None:
    """Prints a line a figure; a ratio without a peer is against the goal itself."""
    words = {None: "", True: "met", False: "NOT MET"}
    for figure in figures:
        sign = ">=" if figure.at_least else "<="
        goal = f"goal {sign} {figure.goal:g}" if figure.goal is not None else ""
        print(
            f"{figure.name:<52} {figure.ours:>9.4g} / {figure.peer:<9.4g} {figure.unit:<4}"
            f" ratio {figure.ratio:6.3f}  {goal:<13} {words[figure.met]:<8}{figure.note}",
            flush=True,
        )
