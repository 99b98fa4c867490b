"""What tests of a plan's steps share."""

from typing import TypeVar

from kubetune.domain.observation import Observation
from kubetune.domain.planner import plan
from tests.builders import make_exit, make_result

DONE = make_exit(0, make_result(0.9))
"""The end of a run that completed with an accuracy of 0.9."""

Kind = TypeVar("Kind")


def planned(seen: Observation, kind: type[Kind]) -> list[Kind]:
    """The actions of one kind that are planned, in order."""
    return [action for action in plan(seen).actions if isinstance(action, kind)]
