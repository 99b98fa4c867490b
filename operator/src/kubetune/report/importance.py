"""Which parameters decide how a trial does: what is said of it. `measuring` works it out."""

from dataclasses import dataclass

from kubetune.domain.values import Value

LEAST = 10
"""Of fewer trials nothing is said."""

FEW = 30
"""Of fewer, with the warning that more trials will move the figures."""

USELESS = 0.1
"""A model that explains less of what it has not seen says nothing of the parameters."""

WORTH = 0.03
"""A smaller share of a pair is not worth a word."""


@dataclass(frozen=True, slots=True)
class Importance:
    """One parameter's share of the variance; `low` to `high` hold 8 of 10 trees.

    `best` are the values among which trials did best, others being drawn alike: both ends of a
    part of its range, or some of a list's values.
    """

    name: str
    share: float
    low: float
    high: float
    best: tuple[Value, ...]
    ranged: bool


@dataclass(frozen=True, slots=True)
class Pair:
    """The share of the variance that two parameters bring only together."""

    names: tuple[str, str]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Importances:
    """Of one objective: parameters and pairs, the most important first.

    `trials` were looked at. `explained` is the share of the variance that is foretold for trials
    which a tree has not seen. `chance` and `pair_chance` are what shuffled parameters reach.
    """

    metric: str
    trials: int
    explained: float
    chance: float
    pair_chance: float
    parameters: tuple[Importance, ...]
    pairs: tuple[Pair, ...]

    @property
    def sound(self) -> bool:
        """Whether the model knows enough for its figures to mean anything."""
        return self.explained >= USELESS

    @property
    def telling(self) -> tuple[Importance, ...]:
        """The parameters whose share is more than chance gives."""
        return tuple(one for one in self.parameters if self.sound and one.share > self.chance)

    @property
    def interactions(self) -> tuple[Pair, ...]:
        """The pairs whose share is more than chance gives, and worth a word."""
        least = max(self.pair_chance, WORTH)
        return tuple(one for one in self.pairs if self.sound and one.share > least)
