"""Settings of algorithms: a list of names and texts in Katib, typed fields in a study."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from kubetune.api.wording import show
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Path

SEED_LIMIT = 2**31 - 1


class _Way(Enum):
    FIELD = auto()
    SETTING = auto()
    NOTHING = auto()
    ELSEWHERE = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """What becomes of a setting: a field or setting with a whole number, or nothing, and why."""

    way: _Way
    name: str = ""
    least: int = 0
    but: str = ""

    @classmethod
    def seed(cls) -> "Target":
        """The sampler's seed."""
        return cls(_Way.FIELD, "seed")

    @classmethod
    def startup(cls) -> "Target":
        """So many trials are drawn at random first."""
        return cls(_Way.FIELD, "startupTrials")

    @classmethod
    def field(cls, name: str) -> "Target":
        """A whole number under another name."""
        return cls(_Way.FIELD, name)

    @classmethod
    def setting(cls, name: str) -> "Target":
        """One of the sampler's own settings."""
        return cls(_Way.SETTING, name, least=1)

    @classmethod
    def nothing(cls, why: str, but: str = "") -> "Target":
        """Has no counterpart, which is said, but for the value that means the same."""
        return cls(_Way.NOTHING, why, but=but)

    @classmethod
    def elsewhere(cls) -> "Target":
        """Is read by another part of the conversion."""
        return cls(_Way.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where settings stand in the Experiment, where comments go, and whose they are."""

    path: Path
    at: Path
    algorithm: str


def listed(experiment: Experiment, path: Path) -> dict[str, Path]:
    """Where the value of each named setting stands; of a name given twice the last counts."""
    found: dict[str, Path] = {}
    for index, _ in enumerate(experiment.items(path)):
        name = experiment.text((*path, index, "name"), needed="the setting's name")
        if name is not None:
            found[name] = (*path, index, "value")
    return found


def convert(
    experiment: Experiment,
    draft: Draft,
    place: Place,
    targets: Mapping[str, Target],
    wire: dict[str, Any],
) -> None:
    """Writes settings that have a counterpart into `wire`, and names the others."""
    for name, path in listed(experiment, place.path).items():
        target = targets.get(name)
        if target is None:
            message = f"{name} {_value(experiment, path)}: {place.algorithm} has no such setting"
            hint = suggest(name, targets) or ": nothing to do"
            draft.note(Kind.LEFT_OUT, path, message + hint, place.at)
        elif target.way is _Way.NOTHING:
            if not target.but or experiment.text(path) != target.but:
                message = f"{name} {_value(experiment, path)}: {target.name}: nothing to do"
                draft.note(Kind.LEFT_OUT, path, message, place.at)
        elif target.way is not _Way.ELSEWHERE:
            _write(experiment, draft, path, target, wire)


def _write(
    experiment: Experiment, draft: Draft, path: Path, target: Target, wire: dict[str, Any]
) -> None:
    number = experiment.whole(path, least=target.least, needed=True)
    if number is None:
        return
    if number > SEED_LIMIT:
        draft.findings.refuse(path, f"{number}: write a whole number of at most {SEED_LIMIT}")
    elif target.way is _Way.SETTING:
        wire["settings"] = {**wire.get("settings", {}), target.name: number}
    else:
        wire[target.name] = number


def _value(experiment: Experiment, path: Path) -> str:
    return show(experiment.at(path))
