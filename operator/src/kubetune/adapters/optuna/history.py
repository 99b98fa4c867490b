"""Trials of a study without its manifest: for reports and tables."""

from dataclasses import dataclass

from sqlalchemy import Connection, inspect

from kubetune.adapters.optuna import rows
from kubetune.adapters.optuna.database import Database
from kubetune.adapters.optuna.description import described_parameters
from kubetune.domain.space import Parameter
from kubetune.domain.study import Direction
from kubetune.domain.trial import Trial
from kubetune.domain.warm_start import Earlier


@dataclass(frozen=True, slots=True)
class History:
    """A stored study: its objectives (metric, direction) in order, its trials, its parameters."""

    objectives: tuple[tuple[str, Direction], ...]
    trials: tuple[Trial, ...]
    parameters: tuple[Parameter, ...] = ()


def study_names(url: str) -> tuple[str, ...]:
    """The studies in a database, in order of name.

    Raises:
        StorageUnreachable: it does not answer.
    """
    database = Database.acquire(url, read_only=True)
    try:
        return database.call_now(lambda: database.transaction(_names))
    finally:
        database.release()


def read_history(url: str, study_name: str) -> History:
    """A study as it is stored.

    Raises:
        KeyError: there is no study of this name.
        StorageUnreachable: the database does not answer.
    """
    database = Database.acquire(url, read_only=True)
    try:
        return database.call_now(lambda: _read(database, study_name))
    finally:
        database.release()


def read_earlier(url: str, name: str) -> Earlier | None:
    """The study of this name, or the newest of those whose names begin with it and a slash.

    Raises:
        StorageUnreachable: the database does not answer.
    """
    meant = [each for each in study_names(url) if each == name or each.startswith(f"{name}/")]
    found = [read_history(url, each) for each in meant]
    newest = max(found, key=_began, default=None)
    if newest is None:
        return None
    return Earlier(objectives=newest.objectives, trials=newest.trials)


def _began(history: History) -> float:
    return max((trial.created_at for trial in history.trials), default=0.0)


def read_trials(url: str, study_name: str) -> tuple[Trial, ...]:
    """All trials of a study, in order of number; raises as `read_history`."""
    return read_history(url, study_name).trials


def _names(connection: Connection) -> tuple[str, ...]:
    return rows.study_names(connection) if _has_tables(connection) else ()


def _has_tables(connection: Connection) -> bool:
    return inspect(connection).has_table("studies")


def _read(database: Database, study_name: str) -> History:
    def read(connection: Connection) -> History:
        study = rows.find_study(connection, study_name) if _has_tables(connection) else None
        if study is None:
            raise KeyError(study_name)
        objectives = tuple(
            (item["metric"], Direction(item["direction"]))
            for item in study.description["objectives"]
        )
        records = rows.read_records(connection, study.row)
        trials = tuple(record.trial for record in records)
        return History(objectives, trials, described_parameters(study.description))

    return database.transaction(read)
