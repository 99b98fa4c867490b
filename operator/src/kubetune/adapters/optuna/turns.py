"""Whose turn it is to write in a study: of two programs, the one that knows all that is written.

Every write counts itself in the study, and is made only where nobody else has written since this
program read. Two operators on one database, as a parted network can leave for a while, so disturb
each other, but number no two trials alike and tell none twice. The count's row also keeps their
transactions apart: the database locks it for each until its end.
"""

from sqlalchemy import Connection, insert, select, update

from kubetune.adapters.optuna import tables
from kubetune.domain.ports import StorageUnreachable

KEY = "kubetune:writes"
"""The study's attribute with the number of writes so far."""

_ours = tables.study_attributes


class Overtaken(StorageUnreachable):
    """Another program has written since; nothing was changed. Read again, then decide again."""

    def __init__(self) -> None:
        super().__init__("storage: another program writes in this study too: end one of the two")


def read_turn(connection: Connection, study: int) -> int:
    """How often a study was written to, noted as 0 where nothing was noted.

    To be read before the trials: what is written in between is then not taken for known.
    """
    query = select(_ours.c.value_json).where(_ours.c.study_id == study, _ours.c.key == KEY)
    found = connection.execute(query).scalar()
    if found is not None:
        return int(found)
    connection.execute(insert(_ours).values(study_id=study, key=KEY, value_json="0"))
    return 0


def take_turn(connection: Connection, study: int, turn: int) -> None:
    """Counts a write; the first statement of its transaction.

    Raises:
        Overtaken: the study was written to more often than `turn` times.
    """
    mine = (_ours.c.study_id == study, _ours.c.key == KEY, _ours.c.value_json == str(turn))
    counted = connection.execute(update(_ours).where(*mine).values(value_json=str(turn + 1)))
    if counted.rowcount != 1:
        raise Overtaken
