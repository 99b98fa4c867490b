"""Parameters over all phases."""

from dataclasses import replace

from kubetune.domain.space import Choice, Double, Integer, Space
from kubetune.domain.study import Phase
from kubetune.report.parameters import named, searched
from tests.builders import make_study

X = Double(name="x", low=0.0, high=1.0)
N = Integer(name="n", low=1, high=4)
C = Choice(name="c", values=(1, 2), ordered=True)


def with_phase(*parameters):
    spec = make_study(space=Space(parameters=(X, N, C)))
    phase = Phase(
        name="wider",
        space=Space(parameters=parameters),
        sampler=spec.sampler,
        pruner=spec.pruner,
    )
    return searched(replace(spec, phases=(phase,)))


def test_a_phase_adds_a_parameter():
    """It is searched over like the others."""
    assert [item.name for item in with_phase(X, Double(name="y", low=0.0, high=1.0))] == [
        *("x", "n", "c", "y")
    ]


def test_a_phase_that_is_wider_widens():
    """What it draws lies inside."""
    wide = (replace(X, high=2.0), replace(N, low=0), Choice(name="c", values=(0, 4), ordered=True))
    x, n, c = with_phase(*wide)
    assert (x.high, n.low, c.values) == (2.0, 0, (0, 1, 2, 4))


def test_another_kind_of_the_same_name_keeps_the_first():
    """Nothing can be as wide as both."""
    assert with_phase(Choice(name="x", values=("a",)))[0] == X


def test_an_order_of_names():
    """Named ones first, others after them."""
    assert named((X, N, C), ["c", "x"]) == [C, X, N]
