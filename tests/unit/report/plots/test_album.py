"""Every plot of studies of different kinds: drawn, or left out with a word."""

import struct
import warnings
from dataclasses import replace

import pytest
from matplotlib import rc_context

from kubetune.adapters.optuna.figures import figures
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Choice, Double, Space
from kubetune.domain.study import Direction, Objective
from kubetune.domain.trial import Stage
from kubetune.report.plots import album as albums
from kubetune.report.plots import history, style
from kubetune.report.plots.album import PLOTS, album
from kubetune.report.plots.pages import collected
from kubetune.report.plots.picture import NAMES, LeftOut
from tests.builders import make_outcome, make_points
from tests.unit.report import made

ALL = set(NAMES)


@pytest.fixture(autouse=True)
def _coarse(monkeypatch):
    """Dots are counted nowhere here but in one test, and cost time."""
    monkeypatch.setattr(style, "DOTS_PER_INCH", 40)


def drawn(*trials, of=ALL, pages=None, **changes):
    """Which of these plots were drawn; a warning of matplotlib is a fault."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(albums, "PLOTS", {name: PLOTS[name] for name in NAMES if name in of})
        found = album(made.findings(*trials, **changes), pages)
    for picture in found.pictures:
        assert bool(picture.png) == (not picture.why)
        assert "could not be drawn" not in picture.why
        assert picture.page is None or picture.page.startswith("<!DOCTYPE html>")
    return {picture.name for picture in found.pictures if picture.png}


def test_names_and_plots_are_the_same():
    """An older file of any of them is found and removed."""
    assert tuple(PLOTS) == NAMES


def test_a_whole_study():
    """All but what takes several objectives."""
    assert drawn(*made.trials(), pages=figures) == ALL - {"pareto"}


def test_finals_are_no_part_of_the_search():
    """They would show the best several times; where time went they have their place."""
    seen = {}

    def recorded(name):
        def draw(findings):
            seen[name] = len(findings.trials)
            return LeftOut("it was only counted")

        return draw

    final = made.trial(2, 0.9, stage=Stage.FINALIST, repeats=0, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(albums, "PLOTS", {name: (name, recorded(name)) for name in NAMES})
        album(made.findings(made.trial(0, 0.9), made.trial(1, 0.5), final))
    assert seen == dict.fromkeys(NAMES, 2) | {"timeline": 3}


def test_a_study_that_has_not_begun():
    """Nothing to show, and no failure to show it."""
    assert drawn() == set()
    assert drawn(made.trial(0)) == set()


def test_all_failed():
    """Their curves and their time are left."""
    crash = [made.failed(number, TrialReason.DIVERGED) for number in range(3)]
    assert drawn(*crash) == {"curves", "timeline"}


def test_two_trials():
    """Too few for importance and a contour."""
    two = (made.trial(0, 0.5, width=8), made.trial(1, 0.6, rate=0.5))
    assert drawn(*two) == {"history", "curves", "parallel", "slices", "timeline"}


def test_one_parameter():
    """It has nothing beside it."""
    space = Space(parameters=(Double(name="rate", low=1e-4, high=1.0, log=True),))
    trials = [
        made.trial(number, 0.5 + 0.01 * number, rate=0.001 * 2**number) for number in range(9)
    ]
    these = [replace(trial, active=frozenset({"rate"})) for trial in trials]
    assert drawn(*these, space=space) == {"history", "curves", "slices", "timeline"}


@pytest.mark.parametrize("number", [2, 3])
def test_several_objectives(number):
    """A panel for each pair; three objectives have no line."""
    more = Objective(metric="memory", direction=Direction.MINIMIZE)
    trials = [
        made.trial(
            index, outcome=make_outcome(values=(0.1 * index, index % 3 + 0.1, 5.0 - index)[:number])
        )
        for index in range(6)
    ]
    assert "pareto" in drawn(*trials, of={"pareto"}, objectives=(*made.TWO, more)[:number])


def test_a_value_of_1e300():
    """It is off the scale, and the rest can be read."""
    trials = [
        made.trial(number, 0.5 + 0.01 * number, rate=0.01 * (number + 1)) for number in range(12)
    ]
    far = (made.trial(12, 1e300), made.trial(13, -1e300))
    assert drawn(*trials, *far, of={"history", "slices"}) == {"history", "slices"}


def test_hostile_words():
    """Names and values are text, whatever they look like."""
    words = ("<script>alert(1)</script>", "$x^2_{", "\x1b[31m\u202e", "💥" * 50, "")
    space = Space(
        parameters=(Choice(name="kind", values=words), Double(name="rate", low=0.0, high=1.0))
    )
    trials = [
        made.trial(number, 0.1 * number, kind=words[number % 5], rate=0.1 * number)
        for number in range(8)
    ]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        assert drawn(*trials, space=space, of={"slices", "parallel"}) == {"slices", "parallel"}
    found = made.findings(*trials, space=space)
    pages = [page() for page in collected(found, figures).values()]
    assert all("<script>alert" not in page for page in pages if page)


def test_twenty_parameters_with_long_names():
    """Every one has its panel, and its name fits."""
    names = [f"text_encoder_layer_{index:02}_attention_dropout" for index in range(20)]
    space = Space(parameters=tuple(Double(name=name, low=0.0, high=1.0) for name in names))
    trials = [
        replace(
            made.trial(number, 0.1 * number),
            parameters=dict.fromkeys(names, 0.1 * number),
            active=frozenset(names),
        )
        for number in range(4)
    ]
    found = made.findings(*trials, space=space)
    with rc_context(style.settings()):
        slices = style.png(PLOTS["slices"][1](found))
    width, height = struct.unpack(">II", slices[16:24])
    assert (width > 500, height > 600) == (True, True)


def test_a_parameter_that_no_complete_trial_had():
    """The others have their pages all the same; side by side stand those that all trials had."""
    trials = [
        made.trial(number, 0.5 + 0.01 * number, rate=0.01 * 2**number, width=8 * 2 ** (number % 3))
        for number in range(6)
    ]
    pages = collected(made.findings(*trials), figures)
    shown = {name: pages[name]() for name in ("parallel", "slices", "contour")}
    assert all(shown.values())
    assert "momentum" not in "".join(page for page in shown.values() if page)


def test_curves_that_are_not_numbers():
    """A diverged trial's curve ends where its numbers end."""
    nan = made.trial(1, curve=make_points(0.5, float("nan"), float("inf")))
    assert drawn(made.trial(0, 0.5), nan, of={"curves"}) == {"curves"}


def test_a_plot_that_fails_takes_nothing_with_it(monkeypatch):
    """The others are drawn, and what happened stands in its place."""

    def broken(_):
        raise ValueError("no | room")

    plots = {"history": ("History", broken), "timeline": PLOTS["timeline"]}
    monkeypatch.setattr(albums, "PLOTS", plots)
    first, second = album(made.findings(*made.trials())).pictures
    assert first.why == "it could not be drawn: ValueError: no | room"
    assert second.png


def test_without_the_packages_there_are_none(monkeypatch):
    """Which are missing is said; nothing is drawn."""
    monkeypatch.setattr(albums, "find_spec", lambda name: None if name == "plotly" else object())
    found = album(made.findings(*made.trials()))
    assert (found.missing, found.pictures) == (("plotly",), ())


def test_the_same_picture_every_time():
    """A report written twice is the same to the byte."""
    found = made.findings(*made.trials())
    with rc_context(style.settings()):
        one, other = (style.png(PLOTS["curves"][1](found)) for _ in range(2))
    assert one == other
    first, again = (collected(found, figures)["curves"]() for _ in range(2))
    assert first == again


def test_a_failed_trial_is_marked_in_the_history():
    """Its place in the row is seen, though it has no value."""
    figure = history.draw(made.findings(*made.trials()))
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert {"Complete: 6", "Pruned (its last value): 2", "Failed: 4", "baseline"} <= set(labels)
