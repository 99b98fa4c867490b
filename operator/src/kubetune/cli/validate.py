"""`kubetune validate`: every fault of every manifest, without a cluster."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubetune.cli import course, manifests
from kubetune.cli.manifests import Checked
from kubetune.cli.output import Exit, Format, count, say


def validate(files: list[Path], output_format: Format, patches: Sequence[Path] = ()) -> None:
    """Checks all files, each with all patches, and ends the program: 1 when one is not valid."""
    checked = [manifests.check(file, patches) for file in files]
    if output_format is Format.JSON:
        print(json.dumps([_plain(one) for one in checked], indent=2))  # noqa: T201 - the output
    else:
        for one in checked:
            _show(one)
    raise SystemExit(int(Exit.FAILED if any(one.faults for one in checked) else Exit.DONE))


def _show(checked: Checked) -> None:
    manifests.show_faults(checked)
    for line in checked.warnings:
        say(f"warning: {line.show()}")
    verdict = checked.admission
    if verdict is None or verdict.spec is None:
        say(f"{checked.file}: {count(len(checked.faults), 'fault')}")
        return
    spec = verdict.spec
    share = ""
    if verdict.feasibility and spec.space.constraints:
        share = f", {verdict.feasibility.share:.0%} of the space is allowed"
    parameters = count(len(spec.space.parameters), "parameter")
    trials = count(spec.trials.max, "trial")
    if spec.phases:
        trials += f" in {count(len(spec.phases), 'phase')}"
    print(f"{checked.file}: valid: {parameters}, {trials}{share}")  # noqa: T201 - the output
    for part in course.lines(spec):
        print(f"  {part}")  # noqa: T201 - the output
    if verdict.feasibility:
        for name, bite in verdict.feasibility.bites.items():
            print(f"  constraint {name} forbids {bite:.1%}")  # noqa: T201 - the output


def _plain(checked: Checked) -> dict[str, Any]:
    verdict = checked.admission
    feasibility = verdict.feasibility if verdict else None
    return {
        "file": str(checked.file),
        "valid": not checked.faults,
        "feasibleShare": feasibility.share if feasibility else None,
        "forbiddenShares": dict(feasibility.bites) if feasibility else {},
        "phases": course.plain(verdict.spec) if verdict and verdict.spec else [],
        "faults": [_line(line) for line in checked.faults],
        "warnings": [_line(line) for line in checked.warnings],
    }


def _line(line: manifests.Line) -> dict[str, Any]:
    return {
        "file": str(line.file),
        "line": line.line,
        "path": line.path,
        "column": line.column,
        "message": line.message,
    }
