"""The fixtures of the trainer's unit tests, for those with real processes."""

from tests.unit.trainer.conftest import *  # noqa: F403 - fixtures are found by name
