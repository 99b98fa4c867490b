"""The termination message: what is read, and what is refused in which words."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetune.domain.result import (
    MESSAGE_LIMIT,
    TEXT_LIMIT,
    Garbage,
    ResultState,
    TrialResult,
    clean,
    parse,
)

GOOD = {
    "schema": 1,
    "state": "Complete",
    "reason": "",
    "message": "",
    "trial": 7,
    "step": 12,
    "metrics": {"eval_loss": 0.57, "norm": "Infinity"},
    "curve": [[11, 0.6], [12, 0.57]],
}


def read(**changes):
    data = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    return parse(json.dumps(data).encode(), 7)


def test_a_full_message_is_read():
    """Every field of the contract arrives, with numbers as numbers."""
    assert read() == TrialResult(
        state=ResultState.COMPLETE,
        step=12.0,
        metrics={"eval_loss": 0.57, "norm": math.inf},
        curve=((11.0, 0.6), (12.0, 0.57)),
    )


def test_schema_and_state_are_enough():
    """All else may be left out."""
    found = parse(b'{"schema": 1, "state": "Stopped"}', 0)
    assert found == TrialResult(state=ResultState.STOPPED)


def test_unknown_fields_are_left_alone():
    """A newer trainer may say more."""
    assert isinstance(read(extra={"a": [1]}), TrialResult)


def test_the_curve_is_put_in_order():
    """Steps may come in any order; of a step given twice the later one counts."""
    found = read(curve=[[2, 0.2], [1, 0.1], [2, 0.3]])
    assert isinstance(found, TrialResult)
    assert found.curve == ((1.0, 0.1), (2.0, 0.3))


def test_nan_is_a_string():
    """What JSON cannot write is spelled out."""
    found = read(metrics={"a": "NaN", "b": "-Infinity"})
    assert isinstance(found, TrialResult)
    assert math.isnan(found.metrics["a"])
    assert found.metrics["b"] == -math.inf


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"schema": 2}, "schema must be 1, not 2"),
        ({"schema": "NaN"}, "schema must be 1, not nan"),
        ({"schema": ...}, "schema must be a number, not 'None'"),
        ({"schema": True}, "schema must be a number, not 'True'"),
        ({"state": "Done"}, "state must be one of Complete, Failed, Pruned, Stopped, not 'Done'"),
        ({"state": ...}, "state must be one of Complete, Failed, Pruned, Stopped, not ''"),
        ({"state": 1}, "state must be a string, not '1.0'"),
        ({"trial": 8}, "the result is of trial 8, not of trial 7"),
        ({"trial": "8"}, "trial must be a number, not '8'"),
        ({"reason": None}, "reason must be a string, not 'None'"),
        ({"message": ["x"]}, "message must be a string, not \"['x']\""),
        ({"step": -1}, "step must be a finite number from 0, not -1"),
        ({"step": "NaN"}, "step must be a finite number from 0, not nan"),
        ({"metrics": [1]}, "metrics must be an object of names and numbers"),
        ({"metrics": {"a": None}}, "metrics.a must be a number, not 'None'"),
        ({"metrics": {"a": "nan"}}, "metrics.a must be a number, not 'nan'"),
        (
            {"metrics": {"a b": 1}},
            "metrics has the name 'a b': write letters, digits and _, at most 63",
        ),
        (
            {"metrics": {"ä": 1}},
            "metrics has the name 'ä': write letters, digits and _, at most 63",
        ),
        ({"curve": {}}, "curve must be a list of [step, value]"),
        ({"curve": [[1, 2, 3]]}, "curve[0] must be [step, value]"),
        ({"curve": [[1, "x"]]}, "curve[0][1] must be a number, not 'x'"),
        ({"curve": [[n, 0] for n in range(65)]}, "curve has 65 points, at most 64 are allowed"),
    ],
)
def test_a_wrong_field_is_named(changes, sentence):
    """The sentence names the field, what it holds and what belongs there."""
    assert read(**changes) == Garbage(sentence)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (b"Traceback (most recent", "the result is not JSON: 'Traceback (most recent'"),
        (b"", "the result is not JSON: ''"),
        (b"[1]", "the result is no JSON object"),
        (b"\xff\xfe{}", "the result is not UTF-8 text"),
        (b"{" + b" " * MESSAGE_LIMIT, "the result is longer than 4096 bytes"),
        (b"[" * MESSAGE_LIMIT, "the result is nested too deeply"),
        (b'{"schema": 1, "schema": 1}', "the result has 'schema' twice"),
        (b'{"metrics": {"a": 1, "a": 2}}', "the result has 'a' twice"),
        (b'{"metrics": {"a": NaN}}', 'the result is not JSON: write "NaN" with quotes'),
        (
            b'{"schema": 1, "state": "Complete", "metrics": {"a": 1e999}}',
            "metrics.a is out of range",
        ),
        (
            b'{"schema": 1, "state": "Complete", "step": ' + b"9" * 4000 + b"}",
            "step is out of range",
        ),
    ],
    ids=range(11),
)
def test_garbage_is_refused_in_plain_words(message, sentence):
    """Whatever the bytes are, there is a sentence and no exception."""
    assert parse(message, 7) == Garbage(sentence)


def test_the_longest_message_is_read():
    """4,096 bytes are legal."""
    message = b'{"schema": 1, "state": "Complete"'.ljust(MESSAGE_LIMIT - 1) + b"}"
    assert isinstance(parse(message, 7), TrialResult)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*GOOD, "x", ""]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=80) | JSON.map(lambda data: json.dumps(data).encode()))
def test_no_bytes_raise(message):
    """Arbitrary bytes and arbitrary JSON give a result or a short printable sentence."""
    found = parse(message, 7)
    if isinstance(found, Garbage):
        assert found.sentence.isprintable()
        assert 0 < len(found.sentence) <= TEXT_LIMIT


@given(st.sampled_from(list(GOOD)), JSON)
def test_no_field_raises(name, value):
    """A message that is right but for one field gives a result or a sentence."""
    found = read(**{name: value})
    assert isinstance(found, TrialResult | Garbage)


@given(st.text(max_size=2000))
def test_texts_are_one_bounded_printable_line(text):
    """Control characters, line breaks and surrogates never reach a terminal or a database."""
    line = clean(text)
    assert line.isprintable()
    assert len(line) <= TEXT_LIMIT
    assert line == line.strip()


def test_reason_and_message_are_cleaned():
    """What the trial says is shown as one line."""
    found = read(state="Failed", reason="Boom\x1b[31m", message="a\n  b" + "c" * 900)
    assert isinstance(found, TrialResult)
    assert found.reason == "Boom [31m"
    assert found.message.startswith("a bccc")
    assert len(found.message) == TEXT_LIMIT
