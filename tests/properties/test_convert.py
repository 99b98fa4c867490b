"""Whatever is wrong with an Experiment, its conversion ends in words or in a valid study."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubetune.api import admission, reader
from kubetune.api.manifest import Manifest
from kubetune.convert.conversion import convert

FILES = sorted((Path(__file__).parents[1] / "golden" / "katib" / "experiments").glob("*.yaml"))
EXPERIMENTS = [reader.read(file) for file in FILES]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10_000_000),
    st.floats(),
    st.sampled_from(
        ["", "0", "-1", "1e400", "nan", "${trialParameters.lr}", "${", "$(A)", "a\nb", "- x: y"]
    ),
    st.text(max_size=8),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from(["a", "1", "${trialParameters.lr}"]), max_size=3),
    st.dictionaries(st.sampled_from(["name", "value", "kind", "a b"]), st.text(max_size=4)),
)


@st.composite
def damaged(draw: st.DrawFn) -> Manifest:
    """An Experiment of Katib's with a few parts gone or replaced by junk."""
    manifest = draw(st.sampled_from(EXPERIMENTS))
    data = deepcopy(manifest.data)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(data))
        holder, key = draw(st.sampled_from(places))
        if draw(st.booleans()):
            holder[key] = draw(JUNK)
        else:
            del holder[key]
    return Manifest(data, manifest.lines)


@given(damaged())
def test_a_conversion_ends_in_words_or_in_a_valid_study(manifest: Manifest) -> None:
    """Never an exception; either faults and no text, or text that admission takes."""
    converted = convert(manifest)
    assert (converted.text is None) == bool(converted.faults)
    if converted.text is not None:
        study = reader.parse(converted.text).data
        assert admission.check(study).faults == ()
        assert "${trialParameters." not in str(study["spec"]["trialTemplate"])


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every part of plain data but the whole: what holds it, and under which key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield value, key
        if isinstance(item, dict | list) and item:
            yield from _places(item)
