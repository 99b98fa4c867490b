"""Studies as YAML that every reader understands alike, comments above what they speak of."""

import pytest
from ruamel.yaml import YAML

from kubetune.api import reader
from kubetune.convert.writing import WIDTH, render


@pytest.mark.parametrize(
    "value",
    [
        "on", "No", "null", "~", "", "1", "1e3", "0x1f", "1_000", "12:30:45", "2024-01-01",
        "a: b", "a #b", "- a", "--lr=0.1", "--", "-", "*a", "&a", "!a", "%a", "@a", "`a`", "{a}",
        "[a]", "$(A)", "${A}", "'a'", '"a"', "é", "a\tb", " a", "a ", "a\nb", "a\nb\n", "\na",
        " a\nb", "a\n\nb  \n", "\\n", "yes: no", "=", "<<", ".", "..", ".inf", "nan", "a,b",
        "x" * 200, 1e-5, 1e300, 0.1, 1.0, 3, -7, True, None,
    ],
)  # fmt: skip
def test_a_value_comes_back_as_it_was(value):
    """By YAML 1.2, which studies are read with, and by 1.1, which kubectl reads."""
    text = render({"spec": {"a": value, "b": [value], "fixed": {"c": value}}}, {}, "head")
    expected = {"a": value, "b": [value], "fixed": {"c": value}}
    assert reader.parse(text).data["spec"] == expected
    old = YAML(typ="safe", pure=True)
    old.version = (1, 1)
    assert old.load(text)["spec"] == expected


def test_a_comment_stands_above_its_field():
    """Indented as the field is, folded at the width; lines that are indented are code: whole."""
    study = {"spec": {"trials": {"max": 3}, "trialTemplate": {"spec": {"containers": [{"a": 1}]}}}}
    code = f"  {'x ' * 80}y"
    comments = {
        ("spec", "trials"): ["word " * 40],
        ("spec", "trialTemplate", "spec", "containers", 0): ["look", f"run\n{code}"],
    }
    lines = render(study, comments, "head").splitlines()
    assert lines[0] == "# head"
    at = lines.index("  trials: {max: 3}")
    assert all(line.startswith("  # word") for line in lines[at - 2 : at])
    assert all(len(line) <= WIDTH for line in lines[at - 2 : at])
    at = lines.index("      - a: 1")
    assert lines[at - 3 : at] == ["      # look", "      # run", f"      # {code}"]


def test_a_comment_never_becomes_a_field():
    """Whatever text it holds."""
    comments = {("spec", "trials"): ["a\n  max: 9\r\nkind: x\x85kind: y\u2028kind: z\x0bkind: w"]}
    text = render({"kind": "mine", "spec": {"trials": {"max": 3}}}, comments, "head")
    assert reader.parse(text).data == {"kind": "mine", "spec": {"trials": {"max": 3}}}


def test_a_comment_on_what_is_not_there_stands_above_the_nearest():
    """Nothing that is said is lost."""
    study = {"spec": {"trials": {"max": 3}, "parameters": [{"name": "x"}]}}
    comments = {("spec", "pruner"): ["one"], ("spec", "parameters", 4, "min"): ["two"]}
    lines = render(study, comments, "head").splitlines()
    assert lines[lines.index("# one") + 1] == "spec:"
    assert lines[lines.index("  # two") + 1] == "  parameters:"
