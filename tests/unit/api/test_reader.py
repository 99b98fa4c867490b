"""Manifests are read as YAML 1.2, with lines, and bad files are told why."""

import pytest

from kubetune.api import reader
from kubetune.api.manifest import NODE_LIMIT, Unreadable


def bomb(levels):
    """Ten aliases a level: small text, huge data."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for level in range(1, levels):
        uses = ", ".join([f"*a{level - 1}"] * 10)
        lines.append(f"a{level}: &a{level} [{uses}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6e-5", 6e-5),
        ("1.2e-4", 1.2e-4),
        ("1E5", 1e5),
        ("-.inf", float("-inf")),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("yes", "yes"),
        ("off", "off"),
        ("~", None),
        ("2024-01-01", "2024-01-01"),
        ("'6e-5'", "6e-5"),
    ],
)
def test_plain_values_are_those_of_yaml_1_2(text, value):
    """A bound such as 6e-5 is a number; yes, no and dates are text."""
    found = reader.parse(f"a: {text}\n").data["a"]
    assert found == value
    assert type(found) is type(value)


def test_lines_are_those_of_keys_and_items():
    """A fault points at the line where the field stands, or at the nearest part above it."""
    manifest = reader.parse("a:\n  b: 1\n  c:\n  - x\n  - {d: 2,\n     e: 3}\n")
    assert manifest.line(("a", "b")) == 2
    assert manifest.line(("a", "c", 1)) == 5
    assert manifest.line(("a", "c", 1, "e")) == 6
    assert manifest.line(("a", "c", 1, "missing", "deeper")) == 5
    assert manifest.line(()) == 1
    assert manifest.line(("nowhere",)) == 1


def test_json_is_read_too():
    """JSON is a part of YAML 1.2, tabs of indentation included."""
    manifest = reader.parse('{\n\t"a": [1, 2.5],\n\t"b": {"c": null}\n}\n')
    assert manifest.data == {"a": [1, 2.5], "b": {"c": None}}
    assert manifest.line(("b", "c")) == 3


def test_merged_maps_keep_the_line_they_come_from():
    """`<<` brings in a map; what is written out in place wins."""
    manifest = reader.parse("x: &x {p: 1, q: 2}\ny:\n  <<: *x\n  q: 3\n")
    assert manifest.data["y"] == {"p": 1, "q": 3}
    assert manifest.line(("y", "p")) == 1
    assert manifest.line(("y", "q")) == 4


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1: empty: write a TuningStudy"),
        ("# nothing\n---\n", "line 1: empty: write a TuningStudy"),
        ("- a\n", "line 1: not a manifest: write a map with apiVersion, kind, metadata, spec"),
        ("a: 1\nb: 2\na: 3\n", "line 3: a stands here twice: first on line 1"),
        ("a: 1\n---\nb: 2\n", "line 3: a second document: write one TuningStudy a file"),
        ("a:\n\tb: 1\n", "line 2: a tab: indent with spaces"),
        ("a: b: c\n", "line 1: not YAML: mapping values are not allowed here"),
        ("a: *b\n", "line 1: not YAML: found undefined alias 'b'"),
        ("a: !exec b\n", "line 1: the tag !exec has no meaning here: take it out"),
        ("a: !!int b\n", "line 1: 'b' is not what its tag says"),
        ("a:\n  1: b\n", "line 2: the key 1 is no text: write it in quotes"),
        ("? [a]\n: b\n", "line 1: a key must be text, not a map or a list"),
        ("a: &a [*a]\n", "line 1: nested more than 64 deep"),
        ("[" * 1000, "line 1: nested too deep"),
        (bomb(6), f"line 1: more than {NODE_LIMIT} values, aliases counted"),
    ],
)
def test_bad_text_is_told_its_line(text, fault):
    """Faults of syntax come with the line; aliases and nesting are bounded."""
    with pytest.raises(Unreadable) as caught:
        reader.parse(text)
    assert str(caught.value) == fault


def test_an_unfinished_quote_names_the_line_where_it_begins():
    """The end of the file is not where the slip is."""
    with pytest.raises(Unreadable, match="begun on line 2"):
        reader.parse("a: 1\nb: 'x\nc: 2\n")


def test_every_doubled_key_is_told_at_once():
    """Duplicate keys are all found in one reading."""
    with pytest.raises(Unreadable) as caught:
        reader.parse("a: 1\na: 2\nb: {c: 1, c: 2}\n")
    assert [line for line, _ in caught.value.faults] == [2, 3]


def test_files_that_cannot_be_read_are_told_why(tmp_path):
    """A missing file, a folder, a huge file and foreign bytes are faults, not tracebacks."""
    huge, foreign = tmp_path / "huge.yaml", tmp_path / "foreign.yaml"
    huge.write_bytes(b"a: " + b"x" * reader.SIZE_LIMIT)
    foreign.write_bytes(b"a: 1\nb: \xff\n")
    messages = {
        tmp_path / "none.yaml": "line 1: cannot be read: no such file or directory",
        tmp_path: "line 1: cannot be read: is a directory",
        huge: f"line 1: larger than {reader.SIZE_LIMIT} bytes",
        foreign: "line 2: not UTF-8 text",
    }
    for path, message in messages.items():
        with pytest.raises(Unreadable) as caught:
            reader.read(path)
        assert str(caught.value) == message


def test_every_document_is_read_with_the_lines_of_the_file():
    """A file of several things is read whole; empty documents count for nothing."""
    first, second = reader.parse_all("---\na: 1\n---\n# nothing\n---\nb:\n  c: 2\n")
    assert (first.data, second.data) == ({"a": 1}, {"b": {"c": 2}})
    assert second.line(("b", "c")) == 7
    assert reader.parse_all("# nothing\n") == ()


def test_the_faults_of_every_document_are_told():
    """One look is enough, whichever documents are broken."""
    with pytest.raises(Unreadable) as caught:
        reader.parse_all("a: 1\na: 2\n---\n[]\n---\nb: !!foreign 1\n")
    assert [line for line, _ in caught.value.faults] == [2, 4, 6]
