"""Takes over what earlier studies found, once, when a study begins."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from kubetune.domain import course, warm_start
from kubetune.domain.faults import Fault, InvalidSpec, Path
from kubetune.domain.ports import TrialStore
from kubetune.domain.study import InitialTrial, StudySpec
from kubetune.domain.warm_start import Earlier

Read: TypeAlias = Callable[[str], Awaitable[Earlier | None]]
"""Reads the study of this name, None when there is none."""


async def warmed(spec: StudySpec, store: TrialStore, read: Read) -> tuple[StudySpec, list[str]]:
    """The study with the results of `warmStart` among its initial trials, and what to say of them.

    They are read once: a study whose own trials have begun goes on with those that it holds,
    whatever has become of the earlier one since. Before that it may have been killed amid them.

    Raises:
        InvalidSpec: a study that is not there, or that had other objectives.
        StorageUnreachable: the database does not answer.
    """
    if spec.warm_start is None:
        return spec, []
    trials = await store.trials()
    begun = any(not course.imported(trial) for trial in trials)
    added: list[InitialTrial] = []
    said: list[str] = []
    faults: list[Fault] = []
    for index, wanted in enumerate(spec.warm_start.studies):
        held = any(trial.initial.startswith(warm_start.prefix(wanted)) for trial in trials)
        if held and begun:
            continue
        path: Path = ("spec", "warmStart", "studies", index, "name")
        earlier = await read(wanted.name)
        if earlier is None and held:
            continue
        if earlier is None:
            faults.append(Fault(path, f"no study '{wanted.name}' is stored here: write another"))
        elif differs := warm_start.differing_objectives(spec, earlier):
            faults.append(Fault(path, f"'{wanted.name}' had other objectives: {differs}"))
        else:
            taken = warm_start.take_over(spec, wanted, earlier, spec.warm_start.top)
            added += taken.trials
            said.append(taken.message)
    if faults:
        raise InvalidSpec(faults)
    return replace(spec, initial_trials=(*added, *spec.initial_trials)), said
