"""Which examples a step sees."""

from itertools import chain, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetune_trainer.training.order import Order

sizes = st.integers(1, 30)


@st.composite
def orders(draw):
    length = draw(sizes)
    smallest = draw(st.integers(1, min(3, length)))
    groups = draw(st.just(()) | st.tuples(*[st.integers(0, 2)] * length))
    given = {
        "length": length,
        "batch_size": draw(st.integers(smallest, 8)),
        "accumulation": draw(st.integers(1, 4)),
        "seed": draw(st.integers(0, 2**40)),
        "smallest": smallest,
        "groups": groups,
    }
    try:
        return Order(**given)
    except ValueError:
        return Order(**{**given, "smallest": 1})


def epoch(order, number=1):
    """The steps of an epoch."""
    first = (number - 1) * order.steps_per_epoch + 1
    return list(islice(order.from_step(first), order.steps_per_epoch))


@given(orders(), st.integers(1, 3))
def test_every_example_once_an_epoch(order, number):
    """An epoch shows each example once; with a smallest batch, only what would be less is left."""
    seen = list(chain.from_iterable(chain.from_iterable(epoch(order, number))))
    assert len(seen) == len(set(seen))
    assert set(seen) <= set(range(order.length))
    groups = len(set(order.groups)) or 1
    assert order.length - len(seen) <= groups * (order.smallest - 1)


@given(orders())
def test_batches_are_as_large_as_asked_for(order):
    """No batch is larger than asked for, none smaller than the smallest, none mixes groups."""
    steps = epoch(order)
    batches = list(chain.from_iterable(steps))
    assert len(batches) == order.batches_per_epoch
    assert all(order.smallest <= len(batch) <= order.batch_size for batch in batches)
    assert all(len(step) == order.accumulation for step in steps[:-1])
    if order.groups:
        assert all(len({order.groups[example] for example in batch}) == 1 for batch in batches)


@given(orders(), st.integers(1, 40))
def test_a_step_is_the_same_from_wherever_it_is_reached(order, step):
    """Beginning at step k is beginning at the first one and skipping; epochs are told by number."""
    skipped = list(islice(order.from_step(1), step - 1, step + 3))
    assert list(islice(order.from_step(step), 4)) == skipped
    assert order.epoch(step) == 1 + (step - 1) // order.steps_per_epoch


def test_epochs_and_seeds_differ():
    """Each epoch has an order of its own, each seed too; the same seed has the same."""
    first, again, other = (Order(length=50, batch_size=50, seed=seed) for seed in (1, 1, 2))
    assert epoch(first) == epoch(again)
    assert epoch(first) != epoch(first, 2)
    assert epoch(first) != epoch(other)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"length": 0}, "length: 0 is too small"),
        ({"batch_size": 0}, "batch_size: 0 is too small"),
        ({"accumulation": 0}, "accumulation: 0 is too small"),
        ({"seed": -1}, "seed: -1 must be 0 or more"),
        ({"groups": (1,)}, "groups: 1 given for 4 examples"),
        ({"batch_size": 1, "smallest": 2}, "batch_size: no batch has 2 examples"),
        ({"groups": (1, 2, 3, 4), "smallest": 2}, "batch_size: no batch has 2 examples"),
    ],
)
def test_what_gives_no_batch_is_refused(given, words):
    """An order that would never give a batch is refused when it is made, with its field's name."""
    with pytest.raises(ValueError, match=words):
        Order(**{"length": 4, "batch_size": 2, "seed": 0, **given})
