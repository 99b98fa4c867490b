"""A training's state as files."""

import pytest
import torch
from torch import nn

from kubetune_trainer.training import state


def module(width=3):
    """Two layers that share their weight, one that is frozen, and buffers."""
    made = nn.ModuleDict({"a": nn.Linear(width, width), "b": nn.Linear(width, width)})
    made["b"].weight = made["a"].weight
    made["frozen"] = nn.Linear(width, 1).requires_grad_(requires_grad=False)
    made["norm"] = nn.BatchNorm1d(width)
    return made


def test_what_is_trained_is_kept_and_nothing_else(tmp_path):
    """Parameters that learn, each once, and buffers; what is frozen comes from the base model."""
    given = module()
    given["norm"](torch.randn(4, 3))
    kept = state.trained(given)
    assert "a.weight" in kept
    assert "b.weight" not in kept
    assert not [name for name in kept if "frozen" in name]
    state.write(tmp_path, kept, {"step": 3, "states": [torch.ones(2)]}, state.copied(kept))
    trained, rest, best = state.read(tmp_path)
    other = module()
    state.load_trained(other, trained)
    assert torch.equal(other["b"].weight, given["a"].weight)
    assert torch.equal(other["norm"].running_mean, given["norm"].running_mean)
    assert rest["step"] == 3
    assert best is not None
    assert best.keys() == trained.keys()


def test_another_models_state_is_refused():
    """Other names or other shapes: never a part of them, never stretched."""
    wide = state.trained(module(4))
    with pytest.raises(ValueError, match=r"of another model: .*weight"):
        state.load_trained(module(), wide)
    first_rows = {name: t[:1] if t.dim() else t for name, t in state.trained(module()).items()}
    with pytest.raises(ValueError, match="of another model"):
        state.load_trained(module(), first_rows)


def test_a_copy_does_not_follow():
    """Training on changes nothing in a copy."""
    given = module()
    kept = state.copied(state.trained(given))
    with torch.no_grad():
        given["a"].weight.zero_()
    assert kept["a.weight"].abs().sum() > 0


def test_what_a_full_disk_looks_like():
    """By its kind, or by its words; a mistake in the program is none."""
    words = "Error while serializing: No space left on device (os error 28)"
    assert state.unwritable(OSError("x"))
    assert state.unwritable(Exception(words))
    assert state.unwritable(RuntimeError("[enforce fail at inline_container.cc:671] . unexpected"))
    assert not state.unwritable(RuntimeError("shapes do not fit"))
