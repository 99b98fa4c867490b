"""Early stopping becomes a pruner, with Katib's own defaults."""

import pytest

from tests.unit.convert.made import said, spec

BEFORE = "  resumePolicy: Never\n"


def stopping(settings, name="medianstop"):
    text = f"  earlyStopping:\n    algorithmName: {name}\n    algorithmSettings: [{settings}]\n"
    return (BEFORE, text)


@pytest.mark.parametrize(
    ("settings", "startup", "warmup"),
    [
        ("", 3, 4),
        ("{name: min_trials_required, value: '1'}", 1, 4),
        ("{name: start_step, value: 7}", 3, 7),
    ],
)
def test_median_stop_is_the_pruner_median(settings, startup, warmup):
    """Its settings are the pruner's."""
    found = spec(stopping(settings))["pruner"]
    assert found == {"algorithm": "Median", "startupTrials": startup, "warmupSteps": warmup}


def test_another_kind_is_named():
    """No pruner is guessed."""
    assert "pruner" not in spec(stopping("", "our-own"))
    (line,) = said(stopping("", "our-own"))
    assert line.startswith("left out: algorithmName: 'our-own' has no counterpart: write a pruner")
