"""One operator for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.integration.operator.theatre import Theatre, opened


@pytest.fixture(scope="module")
def house(studies: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """The module's own, as the test before has left it."""
    with opened(studies, tmp_path_factory.mktemp("theatre")) as house:
        yield house


@pytest.fixture
def theatre(house: Theatre) -> Theatre:
    """The same with an operator that runs, a good network, and trials that complete at once."""
    house.reset()
    return house
