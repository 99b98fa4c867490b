"""Events as plain lines."""

import io
import os
import re

from kubetune.cli.lines import Lines
from kubetune.domain.events import Event
from kubetune.domain.planner import plan
from kubetune.domain.reasons import EventReason
from tests.builders import make_observation

STATUS = plan(make_observation()).status


async def test_one_line_an_event_with_the_time() -> None:
    """A log reads from the left: time of day, then the sentence."""
    stream = io.StringIO()
    event = Event(EventReason.TRIAL_LAUNCHED, "trial 0 launched: x=1")
    await Lines(stream).publish(STATUS, [event, event])
    assert re.fullmatch(r"(\d\d:\d\d:\d\d trial 0 launched: x=1\n){2}", stream.getvalue())


async def test_no_event_no_line() -> None:
    """A pass that changed nothing says nothing."""
    stream = io.StringIO()
    await Lines(stream).publish(STATUS, [])
    assert not stream.getvalue()


async def test_a_hostile_sentence_stays_one_harmless_line() -> None:
    """A trial cannot forge a line or steer the terminal that shows the log."""
    stream = io.StringIO()
    text = "trial 0 Failed: \x1b[2J\n12:00:00 trial 1 Complete"
    await Lines(stream).publish(STATUS, [Event(EventReason.TRIAL_FAILED, text)])
    assert stream.getvalue().count("\n") == 1
    assert "\x1b" not in stream.getvalue()


def test_a_reader_that_went_away_does_not_stop_the_study() -> None:
    """`kubetune run ... | head` tunes on after head has ended."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        lines = Lines(stream)
        lines.note("heard")
        os.close(reading)
        lines.note("not heard")
        lines.note("nor this")
        lines.close()
