"""Optuna's schema, table by table, so that its tools can read what is written here.

The schema is that of Optuna's revision v3.2.0.a (version_info 12), unchanged up to Optuna 5.0. It
is spelled out because loading Optuna's own mapping costs half a second at every start and writes
one trial with thirty statements.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Enum,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

REVISION = "v3.2.0.a"
"""The revision that a migrated database must be at."""

SCHEMA_VERSION = 12
"""The content of `version_info`; Optuna stamps its own revision on a database that has it."""

NAME_LENGTH = 512

metadata = MetaData()


def _attributes(name: str, owner: str) -> Table:
    return Table(
        f"{owner}_{name}_attributes",
        metadata,
        Column(f"{owner}_{name}_attribute_id", Integer, primary_key=True),
        Column(f"{owner}_id", Integer, ForeignKey(f"{_PLURAL[owner]}.{owner}_id")),
        Column("key", String(NAME_LENGTH)),
        Column("value_json", Text()),
        UniqueConstraint(f"{owner}_id", "key"),
    )


_PLURAL = {"study": "studies", "trial": "trials"}

versions = Table(
    "version_info",
    metadata,
    Column("version_info_id", Integer, primary_key=True, autoincrement=False, default=1),
    Column("schema_version", Integer),
    Column("library_version", String(256)),
    CheckConstraint("version_info_id=1"),
)

studies = Table(
    "studies",
    metadata,
    Column("study_id", Integer, primary_key=True),
    Column("study_name", String(NAME_LENGTH), index=True, unique=True, nullable=False),
)

directions = Table(
    "study_directions",
    metadata,
    Column("study_direction_id", Integer, primary_key=True),
    Column(
        "direction", Enum("NOT_SET", "MINIMIZE", "MAXIMIZE", name="studydirection"), nullable=False
    ),
    Column("study_id", Integer, ForeignKey("studies.study_id"), nullable=False),
    Column("objective", Integer, nullable=False),
    UniqueConstraint("study_id", "objective"),
)

study_attributes = _attributes("user", "study")
study_system_attributes = _attributes("system", "study")

trials = Table(
    "trials",
    metadata,
    Column("trial_id", Integer, primary_key=True),
    Column("number", Integer),
    Column("study_id", Integer, ForeignKey("studies.study_id"), index=True),
    Column(
        "state",
        Enum("RUNNING", "COMPLETE", "PRUNED", "FAIL", "WAITING", name="trialstate"),
        nullable=False,
    ),
    Column("datetime_start", DateTime),
    Column("datetime_complete", DateTime),
)

attributes = _attributes("user", "trial")
system_attributes = _attributes("system", "trial")

params = Table(
    "trial_params",
    metadata,
    Column("param_id", Integer, primary_key=True),
    Column("trial_id", Integer, ForeignKey("trials.trial_id")),
    Column("param_name", String(NAME_LENGTH)),
    Column("param_value", Float(precision=53)),
    Column("distribution_json", Text()),
    UniqueConstraint("trial_id", "param_name"),
)

values = Table(
    "trial_values",
    metadata,
    Column("trial_value_id", Integer, primary_key=True),
    Column("trial_id", Integer, ForeignKey("trials.trial_id"), nullable=False),
    Column("objective", Integer, nullable=False),
    Column("value", Float(precision=53), nullable=True),
    Column(
        "value_type", Enum("FINITE", "INF_POS", "INF_NEG", name="trialvaluetype"), nullable=False
    ),
    UniqueConstraint("trial_id", "objective"),
)

intermediate_values = Table(
    "trial_intermediate_values",
    metadata,
    Column("trial_intermediate_value_id", Integer, primary_key=True),
    Column("trial_id", Integer, ForeignKey("trials.trial_id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("intermediate_value", Float(precision=53), nullable=True),
    Column(
        "intermediate_value_type",
        Enum("FINITE", "INF_POS", "INF_NEG", "NAN", name="trialintermediatevaluetype"),
        nullable=False,
    ),
    UniqueConstraint("trial_id", "step"),
)

heartbeats = Table(
    "trial_heartbeats",
    metadata,
    Column("trial_heartbeat_id", Integer, primary_key=True),
    Column("trial_id", Integer, ForeignKey("trials.trial_id"), nullable=False),
    Column("heartbeat", DateTime, nullable=False),
    UniqueConstraint("trial_id"),
)
