"""How a hard constraint bounds its pivot: the last parameter drawn of all that it names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kubetune.domain import cel_tree
from kubetune.domain.expressions import Expression, ExpressionFault, Undefined, compile_expression
from kubetune.domain.space import Constraint

_LOGIC = {"_&&_", "_||_", "!_", "_?_:_"}
_COMPARISONS = {"_<_", "_<=_", "_>_", "_>=_", "_==_", "_!=_"}

Needs = Callable[[str], frozenset[str]]
"""The parameters that a name (parameter, derived, fixed) depends on."""


@dataclass(frozen=True, slots=True)
class Clauses:
    """One constraint seen along its pivot.

    `ends` are expressions free of the pivot that the pivot is compared with: exact boundaries.
    `truths` are conditions in which the pivot is tangled up: their boundaries are searched for.
    """

    constraint: Constraint
    ends: tuple[Expression, ...]
    truths: tuple[Expression, ...]

    def boundaries(self, values: Mapping[str, object]) -> Iterator[float]:
        """The exact boundaries, given the values of all that is known."""
        for end in self.ends:
            try:
                value = end.evaluate(values)
            except Undefined:
                continue
            if isinstance(value, int | float):
                yield float(value)


def along(constraint: Constraint, pivot: str, needs: Needs) -> Clauses:
    """Takes a constraint apart along a pivot."""
    scope = dict(constraint.forbid.scope)
    ends: list[Expression] = []
    truths: list[Expression] = []
    for leaf in _leaves(constraint.forbid.tree):
        if not _touches(leaf, pivot, needs):
            continue
        side = _other_side(leaf, pivot, needs)
        try:
            if side is not None:
                ends.append(compile_expression(cel_tree.spell(side), scope))
            else:
                truths.append(compile_expression(cel_tree.spell(leaf), scope))
        except (ValueError, ExpressionFault):  # no spelling: ask the constraint as a whole
            truths.append(constraint.forbid)
    return Clauses(constraint, tuple(dict.fromkeys(ends)), tuple(dict.fromkeys(truths)))


def _leaves(node: cel_tree.Node) -> Iterator[cel_tree.Node]:
    if isinstance(node, cel_tree.Call) and node.function in _LOGIC:
        for arg in node.args:
            yield from _leaves(arg)
    else:
        yield node


def _touches(node: cel_tree.Node, pivot: str, needs: Needs) -> bool:
    return any(
        isinstance(part, cel_tree.Name) and pivot in needs(part.name)
        for part in cel_tree.walk(node)
    )


def _other_side(leaf: cel_tree.Node, pivot: str, needs: Needs) -> cel_tree.Node | None:
    """The side that the pivot alone is compared with; None when it is not so plain."""
    if not (isinstance(leaf, cel_tree.Call) and leaf.function in _COMPARISONS):
        return None
    left, right = leaf.args
    for mine, other in ((left, right), (right, left)):
        if isinstance(mine, cel_tree.Name) and mine.name == pivot:
            return None if _touches(other, pivot, needs) else other
    return None
