"""Compiles a study's expressions, each over the variables that its place knows."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from kubetune.domain.expressions import Expression, ExpressionFault, Kind, Scope, compile_expression
from kubetune.domain.faults import Fault, Path

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

GATE_VARIABLES = frozenset({"trials", "outcomes", "baseline"})
"""What gates know; kept free although there are none yet."""

CEL_WORDS = frozenset({
    "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function",
    "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    "int", "uint", "double", "bool", "string", "bytes", "list", "map", "null_type", "type", "dyn",
})  # fmt: skip
"""Words that the language keeps for itself."""

RUNTIME_VARIABLES = frozenset(GUARD_VARIABLES) | frozenset(OUTCOME_VARIABLES) | GATE_VARIABLES

_UNKNOWN = re.compile(r"^unknown name '([^']+)'")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Compiler:
    """Compiles texts and collects their faults.

    Nothing is said about a text that names something `lost`; when `blind`, nothing about unknown
    names either.
    """

    lost: frozenset[str] = frozenset()
    blind: bool = False
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
        if not self.lost.isdisjoint(_WORD.findall(text)):
            return None
        try:
            return compile_expression(text, scope, expects)
        except ExpressionFault as fault:
            for column, message in fault.faults:
                self._add(path, column, message, later)
            return None

    def _add(self, path: Path, column: int, message: str, later: Collection[str]) -> None:
        found = _UNKNOWN.match(message)
        name = found.group(1).partition(".")[0] if found else ""
        if name and self.blind:
            return
        if name in later:
            message = f"'{name}' is computed further down: write it before this one"
        elif name in RUNTIME_VARIABLES:
            message = f"'{name}' is not known here: {_instead(name)}"
        self.faults.append(Fault(path, message, column))


def negated(text: str) -> str:
    """The text of the opposite; a comment at its end stays one."""
    return f"!({text}\n)" if "//" in text else f"!({text})"


def scope_of(*parts: Mapping[str, Kind]) -> dict[str, Kind]:
    """One scope of several; the first part that has a name decides."""
    scope: dict[str, Kind] = {}
    for part in reversed(parts):
        scope.update(part)
    return scope


def _instead(name: str) -> str:
    if name in {"state", "reason"}:
        return "only outcomes know how a trial ended"
    if name == "metrics":
        return "only guards and outcomes know metrics; see also outcomeConstraints"
    if name in GUARD_VARIABLES:
        return "only guards know it"
    return "only gates of phases know it, and these are not supported yet"
