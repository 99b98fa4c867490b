"""Compiles a study's expressions, each over the variables that its place knows."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kubetune.domain import cel_tree
from kubetune.domain.expression_faults import suggest
from kubetune.domain.expressions import (
    Expression,
    ExpressionFault,
    Kind,
    Scope,
    check_syntax,
    compile_expression,
)
from kubetune.domain.faults import Fault, Path
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from kubetune.domain.values import Value

GUARD_VARIABLES: Scope = {
    "metrics": Kind.DOUBLES,
    "previous": Kind.DOUBLES,
    "best": Kind.DOUBLES,
    "step": Kind.DOUBLE,
    "progress": Kind.DOUBLE,
    "elapsedSeconds": Kind.DOUBLE,
}
"""What a guard knows beside parameters."""

OUTCOME_VARIABLES: Scope = {
    "state": Kind.STRING,
    "reason": Kind.STRING,
    "metrics": Kind.DOUBLES,
}
"""What an outcome class knows beside parameters."""

ENDS: Mapping[str, Sequence[Value]] = {
    "state": [state.value for state in TrialState if state.ended],
    "reason": [reason.value for reason in TrialReason],
}
"""How an ended trial can stand, and why."""

GATE_VARIABLES: Scope = {
    "trials": Kind.INTS,
    "outcomes": Kind.INTS,
    "best": Kind.DOUBLES,
    "baseline": Kind.DOUBLES,
}
"""What gates and conditions of phases know."""

CEL_WORDS = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function",
    "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    "int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "dyn",
})  # fmt: skip
"""Words that the language keeps for itself."""

RUNTIME_VARIABLES = (
    frozenset(GUARD_VARIABLES) | frozenset(OUTCOME_VARIABLES) | frozenset(GATE_VARIABLES)
)

_EQUALITIES = {"_==_", "_!=_", "@in"}
_UNKNOWN = re.compile(r"^unknown name '([^']+)'")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Compiler:
    """Compiles texts and collects their faults.

    Only the syntax is checked of a text that names something `lost`; when `blind`, nothing is said
    about unknown names. `values` are all the values that some variables can have; `phased` are
    names that only phases have, with the phase of each.
    """

    lost: frozenset[str] = frozenset()
    blind: bool = False
    values: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    phased: Mapping[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def compile(
        self,
        text: str,
        scope: Scope,
        expects: tuple[Kind, ...],
        path: Path,
        later: Collection[str] = (),
    ) -> Expression | None:
        """The expression, None when it has faults or cannot be judged.

        `later` are names that exist but are not known here yet.
        """
        lost = not self.lost.isdisjoint(_WORD.findall(text))
        try:
            if lost:
                check_syntax(text)
                return None
            expression = compile_expression(text, scope, expects)
        except ExpressionFault as fault:
            for column, message in fault.faults:
                self._add(path, column, message, later, scope)
            return None
        for column, message in unreachable(expression.tree, self.values):
            self.faults.append(Fault(path, message, column))
        return expression

    def _add(
        self, path: Path, column: int, message: str, later: Collection[str], scope: Scope
    ) -> None:
        found = _UNKNOWN.match(message)
        name = found.group(1).partition(".")[0] if found else ""
        if name and self.blind:
            return
        if name in later:
            message = f"'{name}' is computed further down: write it before this one"
        elif name in self.phased:
            message = elsewhere(name, self.phased[name])
        elif name in RUNTIME_VARIABLES:
            message = f"'{name}' is not known here: {_instead(name, scope)}"
        self.faults.append(Fault(path, message, column))


def unreachable(
    tree: cel_tree.Node, values: Mapping[str, Sequence[Value]]
) -> Iterator[tuple[int, str]]:
    """Comparisons with a value that a variable never has: (column, message) of each."""
    for node in cel_tree.walk(tree):
        if not isinstance(node, cel_tree.Call) or node.function not in _EQUALITIES:
            continue
        left, right = node.args
        for name, other in ((left, right), (right, left)):
            if not isinstance(name, cel_tree.Name) or name.name not in values:
                continue
            known = values[name.name]
            for item in other.items if isinstance(other, cel_tree.Items) else (other,):
                if isinstance(item, cel_tree.Literal) and item.value not in known:
                    yield item.column, _never(name.name, item.value, known)


def _never(name: str, value: Value | None, known: Sequence[Value]) -> str:
    if isinstance(value, str):
        texts = [item for item in known if isinstance(item, str) and item]
        return f"'{value}' is never the value of '{name}'{suggest(value, texts)}"
    listed = ", ".join(str(item).lower() for item in known[:12])
    return f"{str(value).lower()} is never the value of '{name}': write one of {listed}"


def negated(text: str) -> str:
    """The text of the opposite; a comment at its end stays one."""
    return f"!({text}\n)" if "//" in text else f"!({text})"


def scope_of(*parts: Mapping[str, Kind]) -> dict[str, Kind]:
    """One scope of several; the first part that has a name decides."""
    scope: dict[str, Kind] = {}
    for part in reversed(parts):
        scope.update(part)
    return scope


def elsewhere(name: str, phase: str) -> str:
    """What to say of a name that only a phase has."""
    return f"only phase '{phase}' has '{name}': write its value in the others into spec.fixed"


def _instead(name: str, scope: Scope) -> str:
    if "outcomes" in scope:
        return "gates ask of trials, outcomes, best and baseline; spec.outcomes can count the rest"
    if name in {"state", "reason"}:
        return "only outcomes know how a trial ended"
    if name == "metrics":
        return "only guards and outcomes know metrics; see also outcomeConstraints"
    if name in GUARD_VARIABLES:
        return "only guards know it"
    return "only gates and conditions of phases know it"
