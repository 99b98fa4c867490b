"""The schema is Optuna's: its own tools must be able to read and migrate the database."""

from optuna.storages._rdb import models
from sqlalchemy import create_engine
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from kubetune.adapters.optuna import tables

THEIRS = models.BaseModel.metadata


def test_has_every_table() -> None:
    """No table of Optuna's is missing and none is added."""
    assert set(tables.metadata.tables) == set(THEIRS.tables)


def test_creates_the_same_tables() -> None:
    """Every dialect gets the statements that Optuna would give it, indexes and types included."""
    for dialect in (create_engine("sqlite://").dialect, postgresql.dialect(), mysql.dialect()):
        for name, table in tables.metadata.tables.items():
            statements = [
                sorted(
                    str(statement.compile(dialect=dialect))
                    for statement in (CreateTable(it), *map(CreateIndex, it.indexes))
                )
                for it in (table, THEIRS.tables[name])
            ]
            assert statements[0] == statements[1]


def test_has_the_schema_version_of_optuna() -> None:
    """Optuna takes a database with this version as one of its newest revision."""
    assert tables.SCHEMA_VERSION == models.SCHEMA_VERSION
