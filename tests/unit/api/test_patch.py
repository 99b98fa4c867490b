"""A patch over a manifest: as RFC 7386 says, and each part knows where it was written."""

import pytest

from kubetune.api.patch import patch
from kubetune.api.reader import parse

BELOW = """\
metadata: {name: big}
spec:
  trials:
    max: 50
    parallelism: 4
  fixed: {epochs: 16}
  phases:
  - {name: first}
"""
ABOVE = """\
# a small one

metadata: {name: small}
spec:
  trials: {max: 5}
  fixed: null
  phases:

  - {name: only, trials: 2}
  - {name: last}
  suspend: true
"""


def test_maps_merge_and_all_else_is_replaced() -> None:
    """Null takes a field away; a list is replaced whole."""
    below = parse(BELOW)
    found = patch(below, parse(ABOVE), "small.yaml").data
    assert found == {
        "metadata": {"name": "small"},
        "spec": {
            "trials": {"max": 5, "parallelism": 4},
            "phases": [{"name": "only", "trials": 2}, {"name": "last"}],
            "suspend": True,
        },
    }
    assert below.data == parse(BELOW).data


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("spec", "trials", "max"), ("small.yaml", 5)),
        (("spec", "trials", "parallelism"), (None, 5)),
        (("spec", "phases", 0, "trials"), ("small.yaml", 9)),
        (("spec", "phases", 0, "gate"), ("small.yaml", 9)),
        (("spec", "phases", 1), ("small.yaml", 10)),
        (("spec", "fixed"), (None, 2)),
        (("metadata", "name"), ("small.yaml", 3)),
    ],
)
def test_each_part_is_found_where_it_was_written(
    path: tuple[str | int, ...], place: tuple[str | None, int]
) -> None:
    """A fault is shown in the file that has it; one of a missing part where that would stand."""
    found = patch(parse(BELOW), parse(ABOVE), "small.yaml")
    assert (found.file(path), found.line(path)) == place


def test_a_later_patch_wins() -> None:
    """Patches are laid over one another in order."""
    found = patch(parse(BELOW), parse(ABOVE), "small.yaml")
    found = patch(found, parse("spec:\n  trials:\n    max: 7\n"), "more.yaml")
    assert found.data["spec"]["trials"] == {"max": 7, "parallelism": 4}
    assert (found.file(("spec", "trials", "max")), found.line(("spec", "trials", "max"))) == (
        "more.yaml",
        3,
    )


@pytest.mark.parametrize(
    ("below", "above", "result"),
    [
        ('{"a": "b"}', '{"a": ["c"]}', {"a": ["c"]}),
        ('{"a": [1, 2]}', '{"a": {"b": 1, "c": null}}', {"a": {"b": 1}}),
        ('{"e": null}', '{"a": 1}', {"e": None, "a": 1}),
        ('{"a": 1}', '{"a": {"bb": {"ccc": null}}}', {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_the_standard(below: str, above: str, result: object) -> None:
    """RFC 7386, appendix A."""
    assert patch(parse(below), parse(above), "above").data == result
