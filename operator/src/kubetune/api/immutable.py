"""What may not change once trials rest on it, as transition rules of the resource's root.

The database refuses the same when a study is opened again: `docs/decisions/0008`. The rules stand
at the root because only there a rule sees the status, which tells whether there are trials.
"""

from kubetune.api.v1alpha1.base import rule
from kubetune.api.v1alpha1.spec import MOST_PHASES

REMEDY = "restore it, or make a new study; initialTrials with metrics carry results over"
"""What to do instead."""

_NO_TRIALS = (
    "!has(oldSelf.status) || !has(oldSelf.status.trials)"
    " || !has(oldSelf.status.trials.total) || oldSelf.status.trials.total == 0"
)

_FORBIDDEN = (
    "has(i.forbid) ? i.forbid : !has(i.require) ? ''"
    " : i.require.contains('//') ? '!(' + i.require + '\\n)' : '!(' + i.require + ')'"
)
"""A requirement is kept as its opposite: see `compiling.negated`."""


def _each(field: str, item: str) -> str:
    """Something of each item `i` of a list, in order; a list that is left out is empty."""
    return f"(has({{0}}.spec.{field}) ? {{0}}.spec.{field}.map(i, {item}) : [])"


_MEANINGS = {
    "objectives": (_each("objectives", "[i.metric, i.direction, i.summary]"),),
    "parameters": (_each("parameters", "i.name"), "{0}.spec.parameters"),
    "derived": (_each("derived", "[i.name, i.value]"),),
    "constraints": (
        _each("constraints", f"[i.name, {_FORBIDDEN}]"),
        _each("constraints", "has(i.acceptProbability) ? i.acceptProbability : 0.0"),
    ),
    "outcomeConstraints": (
        _each("outcomeConstraints", "i.metric"),
        "(has({0}.spec.outcomeConstraints) ? {0}.spec.outcomeConstraints : [])",
    ),
    "sampler": ("{0}.spec.sampler",),
}
"""What of each field trials rest on.

A list's order counts, though lists with a key are equal in any order. Untyped values (`values`,
`otherwise`, `settings`) have no name in a rule; comparing what holds them compares them too.
"""


_DRAWN_BY = ("when", "narrow", "sampler", "parameters")
"""What of a phase its draws depend on."""


def rules() -> list[dict[str, str]]:
    """One rule for each part of the spec that trials rest on."""
    return [*(_frozen(field, meanings) for field, meanings in _MEANINGS.items()), _course()]


def _course() -> dict[str, str]:
    """Phases that are there stay, in their places and as they draw; others may follow them.

    They are compared place by place: every other way costs more than a server allows.
    """
    old, new = "oldSelf.spec.phases", "self.spec.phases"
    places = ", ".join(map(str, range(MOST_PHASES)))
    same = [f"{new}[i].name == {old}[i].name"]
    for part in _DRAWN_BY:
        mine, theirs = f"{new}[i].{part}", f"{old}[i].{part}"
        same.append(f"has({mine}) == has({theirs}) && (!has({mine}) || {mine} == {theirs})")
    listed = [f"{side}[i].parameters.map(p, p.name)" for side in (new, old)]
    same.append(f"(!has({new}[i].parameters) || {' == '.join(listed)})")
    kept = f"has({new}) && size({new}) >= size({old})"
    each = f"[{places}].all(i, i >= size({old}) || {' && '.join(same)})"
    message = f"phases that are there cannot change after the first trial: {REMEDY}"
    text = f"{_NO_TRIALS} || !has({old}) || size({old}) == 0 || {kept} && {each}"
    return rule(text, message, "spec.phases")


def _frozen(field: str, meanings: tuple[str, ...]) -> dict[str, str]:
    same = " && ".join(f"{text.format('self')} == {text.format('oldSelf')}" for text in meanings)
    message = f"{field} cannot change after the first trial: {REMEDY}"
    return rule(f"{_NO_TRIALS} || {same}", message, f"spec.{field}")
