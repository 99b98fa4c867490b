"""One Experiment as one TuningStudy: every part in turn, then the study's own admission."""

from dataclasses import dataclass

from kubetune.api import admission, reader
from kubetune.api.manifest import Manifest
from kubetune.convert import (
    algorithm,
    budget,
    collectors,
    hyperband,
    metadata,
    objective,
    parameters,
    stopping,
    template,
    writing,
)
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import LOSSES, Findings, Note
from kubetune.domain.faults import Fault

_KNOWN = (
    "parameters", "objective", "algorithm", "earlyStopping", "trialTemplate", "parallelTrialCount",
    "maxTrialCount", "maxFailedTrialCount", "metricsCollectorSpec", "nasConfig", "resumePolicy",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """`text` is the study, None with a fault. Paths of faults and notes are the Experiment's."""

    text: str | None
    faults: tuple[Fault, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def lossless(self) -> bool:
        """Whether nothing was left out or approximated."""
        return not any(note.kind in LOSSES for note in self.notes)


def convert(manifest: Manifest) -> Conversion:
    """Converts a Katib Experiment; never raises on bad data."""
    findings = Findings()
    experiment = Experiment(manifest.data, findings)
    draft = Draft(findings)
    _write(experiment, draft)
    if findings.faults:
        return Conversion(text=None, faults=findings.faults, notes=findings.notes)
    name = draft.metadata["name"]
    heading = f"The Katib Experiment {name} as a study; comments say what differs."
    text = writing.render(draft.study, draft.comments, heading)
    found = admission.check(reader.parse(text).data).faults
    faults = tuple(_of_study(draft, fault) for fault in found)
    return Conversion(text=None if faults else text, faults=faults, notes=findings.notes)


def _write(experiment: Experiment, draft: Draft) -> None:
    metadata.convert(experiment, draft)
    if not experiment.mapping(("spec",), _KNOWN):
        draft.findings.refuse(("spec",), "missing: write objective, algorithm, parameters ...")
        return
    name = algorithm.name_of(experiment)
    if experiment.at(("spec", "nasConfig")) is not None or name in algorithm.NAS:
        where = "nasConfig" if experiment.at(("spec", "nasConfig")) is not None else "algorithm"
        message = (
            "a search for a network's architecture has no counterpart: a study tunes parameters; "
            "write the choices that matter as spec.parameters"
        )
        draft.findings.refuse(("spec", where), message)
        return
    metrics = objective.convert(experiment, draft)
    metric = next(iter(metrics.values()), "the objective")
    halving = hyperband.read(experiment, draft) if name == "hyperband" else None
    chosen = hyperband.chosen(halving) if halving else {}
    givens = parameters.convert(experiment, draft, chosen, grid=name == "grid")
    algorithm.convert(experiment, draft)
    if halving:
        hyperband.convert(draft, halving, metric)
    stopping.convert(experiment, draft, metric)
    pod = template.convert(experiment, draft, givens)
    budget.convert(experiment, draft, pod.timeout_seconds if pod else None)
    collectors.convert(experiment, draft, metrics)


def _of_study(draft: Draft, fault: Fault) -> Fault:
    """A fault of the study, where its cause stands in the Experiment."""
    return Fault(draft.origin(fault.path), fault.message)
