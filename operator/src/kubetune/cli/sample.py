"""`kubetune sample`: draws trials without running them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from kubetune.adapters.optuna.drawing import Drawing
from kubetune.cli import manifests
from kubetune.cli.output import WHOLE, Exit, Format, count, fail, figure, say
from kubetune.domain.draw import Draw, NoFeasibleDraw
from kubetune.domain.faults import InvalidSpec
from kubetune.domain.study import StudySpec


def sample(file: Path, number: int, output_format: Format, patches: Sequence[Path] = ()) -> None:
    """Prints `number` draws, and what was turned down by which constraint."""
    spec, _ = manifests.load(file, patches)
    if spec.phases:
        name, others = spec.phases[0].name, count(len(spec.phases) - 1, "later phase")
        say(f"drawn from phase {name}; what {others} would draw depends on its results")
        spec = replace(spec, space=spec.phases[0].space)
    draws: list[Draw] = []
    try:
        drawing = Drawing(spec)
        while len(draws) < number and (found := drawing.draw()) is not None:
            draws.append(found)
            if output_format is Format.JSON:
                print(_json(found), flush=True)  # noqa: T201 - the output
    except NoFeasibleDraw as nothing:
        fail(str(nothing), Exit.FAILED)
    except InvalidSpec as refused:
        fail(str(refused))
    if output_format is Format.TABLE:
        _show(spec, draws)
    _say_rejected(spec, draws)
    if len(draws) < number:
        say(f"the space is exhausted: it holds {count(len(draws), 'trial')}")


def _json(found: Draw) -> str:
    return json.dumps(
        {"parameters": dict(found.candidate.parameters), "rejected": found.rejections}
    )


def _show(spec: StudySpec, draws: list[Draw]) -> None:
    table = Table(box=None, pad_edge=False)
    names = [item.name for item in (*spec.space.parameters, *spec.space.derived)]
    for name in names:
        table.add_column(name, no_wrap=True)
    table.add_column("rejected", justify="right")
    for found in draws:
        values = (found.candidate.parameters.get(name) for name in names)
        shown = ("-" if value is None else figure(value) for value in values)
        table.add_row(*shown, str(found.rejections))
    # a table of many parameters is wider than a terminal; cut columns would say nothing
    Console(markup=False, highlight=False, width=WHOLE).print(table)


def _say_rejected(spec: StudySpec, draws: list[Draw]) -> None:
    total = sum(found.rejections for found in draws)
    say(f"{count(len(draws), 'draw')}, {total} turned down before them")
    for constraint in spec.space.constraints:
        times = sum(found.rejected.get(constraint.name, 0) for found in draws)
        if times:
            kind = "hard" if constraint.hard else "soft"
            why = constraint.message or f"forbids {constraint.forbid.text}"
            say(f"  {constraint.name} ({kind}) turned down {times}: {why}")
