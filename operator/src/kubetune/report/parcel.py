"""What a study found, small enough for a ConfigMap; what had to be left out is counted.

A ConfigMap holds 1 MiB. The best configuration is always whole; a report is cut at the end of a
line; of trials first the curves become coarse, then the least telling trials are left out.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kubetune.domain.status import StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Point, Stage, Trial
from kubetune.report.document import document
from kubetune.report.findings import Findings, gather
from kubetune.report.results import finite, listing, summary
from kubetune.report.writing import CONFIGURATION, REPORT, RESULTS

SUMMARY = "summary.json"
PACKED = f"{RESULTS}.gz"

LIMIT_BYTES = 1_000_000
"""Of all files together; a ConfigMap's own limit is 1,048,576."""

REPORT_BYTES = 250_000
CURVE_VALUES = 64_000
"""So many values of curves are tried first: a value takes 8 bytes once it is packed."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Files by name: `text` as they are, `packed` compressed."""

    text: Mapping[str, str]
    packed: Mapping[str, bytes]


def pack(
    spec: StudySpec, trials: Sequence[Trial], status: StudyStatus | None, *, now: float
) -> Parcel:
    """Packs everything; `now` in Unix seconds.

    Nothing of the trials' pod template is in it: there may be what is nobody else's business.
    """
    from kubetune.report.configuration import configuration  # noqa: PLC0415 - loads a YAML writer

    findings = gather(replace(spec, template={}), trials, status)
    report, cut = _shortened(document(findings, namespace=spec.namespace), spec)
    best = configuration(findings)
    text = {REPORT: report} | ({CONFIGURATION: best} if best is not None else {})
    told = summary(findings)
    left = LIMIT_BYTES - sum(map(_size, text.values())) - 2 * _size(_json(told))
    packed, left_out = _packed(findings, told, left)
    noted = {**told, "writtenAt": now, "leftOut": {**left_out, "reportLines": cut}}
    return Parcel({**text, SUMMARY: _json(noted)}, {PACKED: packed})


def _packed(
    findings: Findings, told: Mapping[str, Any], limit: int
) -> tuple[bytes, dict[str, int]]:
    """results.json as whole as it fits."""
    kept = _by_weight(findings)
    values = min(_values(kept), CURVE_VALUES)
    while True:
        shown = _thinned(kept, values)
        listed = listing(told, findings, sorted(shown, key=lambda trial: trial.number))
        packed = gzip.compress(listed.encode("utf-8", errors="replace"), mtime=0)
        if len(packed) <= limit or not kept:
            points = sum(len(trial.curve) for trial in kept) - sum(len(t.curve) for t in shown)
            return packed, {"trials": len(findings.trials) - len(kept), "points": points}
        if values:
            values //= 2
        else:
            kept = kept[: len(kept) * 3 // 4]


def _by_weight(findings: Findings) -> list[Trial]:
    """The most telling first: the finals, the best, the baseline, then what ended last."""
    ranks = {trial.number: rank for rank, trial in enumerate(findings.ranked)}
    leaders = {trial.number for trial in (findings.best, findings.baseline) if trial}
    leaders |= {trial.number for trial in findings.front}
    leaders |= {each.trial.number for each in findings.finals.finalists}

    def weight(trial: Trial) -> tuple[bool, int, int]:
        told = trial.stage is not Stage.SEARCH or trial.number in leaders
        return not told, ranks.get(trial.number, len(ranks)), -trial.number

    return sorted(findings.trials, key=weight)


def _thinned(trials: Sequence[Trial], values: int) -> list[Trial]:
    """The trials with so many values in their curves in all: each keeps its first and last."""
    there = _values(trials)
    if there <= values:
        return list(trials)
    return [replace(trial, curve=_thin(trial.curve, values / there)) for trial in trials]


def _values(trials: Sequence[Trial]) -> int:
    return sum(len(point.metrics) for trial in trials for point in trial.curve)


def _thin(points: Sequence[Point], share: float) -> tuple[Point, ...]:
    number = int(len(points) * share)
    if number < 2:  # noqa: PLR2004 - a first and a last one
        return tuple(points[-1:]) if share else ()
    last = len(points) - 1
    return tuple(points[round(index * last / (number - 1))] for index in range(number))


def _shortened(report: str, spec: StudySpec) -> tuple[str, int]:
    """The report up to some size, and how many lines that left out."""
    if _size(report) <= REPORT_BYTES:
        return report, 0
    whole = report.splitlines()
    size = kept = 0
    while (size := size + _size(whole[kept]) + 1) < REPORT_BYTES:
        kept += 1
    command = f"kubetune report study/{spec.name} -n {spec.namespace}"
    end = f"Cut here: {len(whole) - kept} more lines. `{command} -o DIR` writes all of them."
    return "\n".join([*whole[:kept], "", end, ""]), len(whole) - kept


def _json(told: Mapping[str, Any]) -> str:
    return json.dumps(finite(told), indent=2, allow_nan=False) + "\n"


def _size(text: str) -> int:
    return len(text.encode("utf-8", errors="replace"))
