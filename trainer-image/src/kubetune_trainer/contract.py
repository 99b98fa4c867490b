"""What a study hands to a trial: environment variables, one of them JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from kubetune_trainer.exits import BadConfiguration

SCHEMA = 1
TRIAL = "KUBETUNE_TRIAL"
CHECKPOINT_DIR = "KUBETUNE_CHECKPOINT_DIR"
METRICS_HOST = "KUBETUNE_METRICS_HOST"
METRICS_PORT = "KUBETUNE_METRICS_PORT"
TERMINATION_LOG = "KUBETUNE_TERMINATION_LOG"
RANKS = ("RANK", "LOCAL_RANK")
"""Set by torchrun, and by frameworks that start their own processes: which of several processes of
one trial this is, counted from 0."""
EACH = "KUBETUNE_TRAINER_EACH"
"""Set by `launching`: every process writes a result, from which it makes that of the trial."""

Value: TypeAlias = bool | int | float | str
"""What one parameter can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the study asks of this attempt: the JSON of `KUBETUNE_TRIAL`.

    `objectives` are metric names, the first one is the curve that pruning follows. `resume` says
    that what lies in the checkpoint folder belongs to this trial and may be gone on from.
    """

    study: str = ""
    namespace: str = ""
    uid: str = ""
    trial: int = 0
    attempt: int = 1
    stage: str = "search"
    seed: int = 0
    objectives: tuple[str, ...] = ()
    report_interval_seconds: float = 10.0
    resume: bool = False
    parameters: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """All that surrounds a trial. `order` is None outside any study.

    Of several processes only the one of `rank` 0 shows live values; `result_file` is None where
    this one's result is not the trial's.
    """

    order: Order | None
    checkpoint_dir: Path | None
    metrics_host: str
    metrics_port: int | None
    result_file: Path | None
    rank: int = 0


def result_file(environ: Mapping[str, str]) -> Path | None:
    """Where the result goes: the container's termination message unless told otherwise.

    Of several processes each has a file of its own where `launching` started them, else only the
    first one has one.
    """
    path = Path(environ.get(TERMINATION_LOG) or "/dev/termination-log")
    if environ.get(EACH):
        return of_rank(path, rank_of(environ))
    return None if rank_of(environ) else path


def rank_of(environ: Mapping[str, str]) -> int:
    """Which of several processes this is; 0 for a single one."""
    said = next((environ[name] for name in RANKS if environ.get(name)), "0")
    return int(said) if said.isdecimal() else 0


def of_rank(path: Path, rank: int) -> Path:
    """The result of one of several processes."""
    return path.with_name(f"{path.name}.{rank}")


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Reads what the launcher set.

    Raises:
        BadConfiguration: a variable is not what the contract says; the message names it.
    """
    text = environ.get(TRIAL)
    folder = environ.get(CHECKPOINT_DIR)
    rank = rank_of(environ)
    return Environment(
        order=None if text is None else read_order(text),
        checkpoint_dir=Path(folder) if folder else None,
        metrics_host=environ.get(METRICS_HOST) or "0.0.0.0",  # noqa: S104 - pods are scraped from outside
        metrics_port=None if rank else _port(environ.get(METRICS_PORT)),
        result_file=result_file(environ),
        rank=rank,
    )


def read_order(text: str) -> Order:
    """Reads the JSON of `KUBETUNE_TRIAL`; fields it does not know are left alone.

    Raises:
        BadConfiguration: not JSON, another schema, or a field of the wrong kind.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadConfiguration(f"{TRIAL}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadConfiguration(f"{TRIAL}: a JSON object is needed, not {type(data).__name__}")
    if data.get("schema") != SCHEMA:
        raise BadConfiguration(
            f"{TRIAL}.schema: {data.get('schema')!r} is not known to this trainer, which reads "
            f"{SCHEMA}: use the trainer image of the same release as the operator"
        )
    return Order(
        study=_field(data, "study", str, ""),
        namespace=_field(data, "namespace", str, ""),
        uid=_field(data, "uid", str, ""),
        trial=_field(data, "trial", int, 0),
        attempt=_field(data, "attempt", int, 1),
        stage=_field(data, "stage", str, "search"),
        seed=_field(data, "seed", int, 0),
        objectives=_names(data),
        report_interval_seconds=float(_field(data, "reportIntervalSeconds", (int, float), 10.0)),
        resume=_field(data, "resume", bool, default=False),
        parameters=_parameters(data),
    )


def _field(data: Mapping[str, Any], name: str, kind: Any, default: Any) -> Any:
    value = data.get(name, default)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        wanted = kind.__name__ if isinstance(kind, type) else "number"
        raise BadConfiguration(f"{TRIAL}.{name}: {value!r} is no {wanted}")
    return value


def _names(data: Mapping[str, Any]) -> tuple[str, ...]:
    names = _field(data, "objectives", list, [])
    if not all(isinstance(name, str) for name in names):
        raise BadConfiguration(f"{TRIAL}.objectives: {names!r} is no list of metric names")
    return tuple(names)


def _parameters(data: Mapping[str, Any]) -> dict[str, Value]:
    values: dict[str, Value] = _field(data, "parameters", dict, {})
    for name, value in values.items():
        if not isinstance(value, bool | int | float | str):
            raise BadConfiguration(
                f"{TRIAL}.parameters.{name}: {value!r} is no boolean, number or text"
            )
    return values


def _port(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 <= int(text) <= 65535:  # noqa: PLR2004 - the last port there is
        raise BadConfiguration(f"{METRICS_PORT}: {text!r} is no port (0 to 65535)")
    return int(text)
