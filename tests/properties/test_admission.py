"""No data at all breaks the check."""

import copy
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kubetune.api import admission, reader

STUDIES = Path(__file__).parents[1] / "unit" / "api" / "studies"
FULL = reader.read(STUDIES / "full.yaml").data
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["Grid", "CMAES", "Threshold", "Log", "Integer", "learning_rate", "1 +", "//"]),
    st.sampled_from([[], {}, [[]], [{}], {"name": "a"}, 10**400, "x" * 3000]),
)


def places(data, path=()):
    """The path of everything in plain data."""
    yield path
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from places(value, (*path, key))


PLACES = [path for path in places(FULL) if path]


@given(st.sampled_from(PLACES), JUNK)
def test_no_data_breaks_the_check(path, junk):
    """Whatever stands anywhere, the answer is a spec or faults, never an exception."""
    data = copy.deepcopy(FULL)
    parent = data
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = junk
    verdict = admission.check(data)
    assert (verdict.spec is None) == bool(verdict.faults)
