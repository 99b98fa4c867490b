"""The loop: a resumed trial equals an unbroken one, and nothing that goes wrong goes unsaid."""

import math
import os
import signal
from itertools import product
from typing import get_args

import pytest
import torch

from kubetune_trainer import checkpoints
from kubetune_trainer.training import devices, state
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.optimizers import OptimizerType
from kubetune_trainer.training.schedules import SchedulerType
from tests.torch.training import toy
from tests.torch.training.toy import Task, at, comparable, terminate, train

SHORT = {"epochs": 3, "gradient_accumulation_steps": 2, "evaluate_every": 4, "log_every": 2}
"""Nine steps of two batches, the third of each epoch with four and two examples."""


def settings():
    """Every optimizer with a schedule, and every schedule with an optimizer."""
    kinds, courses = get_args(OptimizerType), get_args(SchedulerType)
    pairs = list(product(kinds[:1], courses)) + list(product(kinds[1:], ["cosine", "one_cycle"]))
    return [pytest.param(*pair, id="-".join(pair)) for pair in pairs]


def kill():
    """As the machine's own killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_untouched_model_is_measured_once(tmp_path):
    """Step 0, before anything is trained: it changes no loss, and an attempt that goes on skips it.

    One that was stopped within it has done nothing yet, and begins anew.
    """
    given = {**SHORT, "evaluate_first": True}
    whole = train(tmp_path / "whole", **given)
    step, metrics = whole.reports[0]
    untouched = Task()
    untouched.module.eval()
    assert (step, metrics["eval_loss"]) == (0, untouched.evaluate(lambda: False)["eval_loss"])
    assert whole.result["curve"][0] == [0, metrics["eval_loss"]]
    plain = train(tmp_path / "plain", **SHORT)
    assert comparable(whole)[1:] == comparable(plain)
    early = train(tmp_path / "parts", at("evaluate", 2, terminate), **given)
    assert (early.exit_code, early.reports) == (143, [])
    first = train(tmp_path / "parts", at("loss", 9, terminate), **given)
    second = train(tmp_path / "parts", **given)
    assert comparable(first) + comparable(second) == comparable(whole)


def test_no_better_than_untrained(tmp_path):
    """A model that training only makes worse is kept as it came; patience begins after step 0."""
    given = {"evaluate_first": True, "evaluate_every": 1, "learning_rate": 3.0, "head_rate": 3.0}
    task, untouched = Task(), Task()
    trial = train(tmp_path, task, epochs=2, early_stop_evaluations=2, **given)
    losses = trial.values("eval_loss")
    assert losses[0] == min(losses)
    assert len(losses) > 3
    task.load(tmp_path / "checkpoint/artifacts/best")
    assert all(map(torch.equal, task.module.parameters(), untouched.module.parameters()))


@pytest.mark.parametrize(("kind", "course"), settings())
def test_a_stopped_trial_goes_on_as_if_nothing_had_been(tmp_path, kind, course):
    """SIGTERM within an epoch and between reports: both attempts together equal one, bit by bit."""
    given = {**SHORT, "optimizer_type": kind, "lr_scheduler": course, "lr_warmup_steps": 1}
    whole = train(tmp_path / "whole", **given)
    first = train(tmp_path / "parts", at("loss", 9, terminate), **given)
    assert (first.exit_code, first.result["state"]) == (143, "Stopped")
    second = train(tmp_path / "parts", **given)
    assert second.result["state"] == "Complete"
    assert comparable(first) + comparable(second) == comparable(whole)
    assert len(set(whole.values("train_loss"))) == 5
    ours, theirs = (toy.Task(), toy.Task())
    ours.load(tmp_path / "whole/checkpoint/artifacts/best")
    theirs.load(tmp_path / "parts/checkpoint/artifacts/best")
    assert all(map(torch.equal, ours.module.parameters(), theirs.module.parameters()))


def test_an_evaluation_that_was_broken_off_is_made_again(tmp_path):
    """SIGTERM within an evaluation: the next attempt begins with it, and nothing else differs."""
    whole = train(tmp_path / "whole", **SHORT)
    first = train(tmp_path / "parts", at("evaluate", 2, terminate), **SHORT)
    assert first.exit_code == 143
    assert "eval_loss" not in first.result["metrics"]
    second = train(tmp_path / "parts", **SHORT)
    assert comparable(first) + comparable(second) == comparable(whole)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("moment", ["step", "save"])
def test_a_killed_trial_repeats_what_no_checkpoint_knows(tmp_path, monkeypatch, moment):
    """SIGKILL after the checkpoint of step 4, or amid that of step 8: what follows is the same."""
    whole = train(tmp_path / "whole", **SHORT)
    write = state.write

    def torn(folder, *rest):
        write(folder, *rest)
        if folder.name == ".step-000000008.draft":
            (folder / "state.pt").write_bytes((folder / "state.pt").read_bytes()[:100])
            kill()

    child = os.fork()
    if not child:
        monkeypatch.setattr(state, "write", torn)
        train(tmp_path / "parts", at("loss", 13 if moment == "step" else 0, kill), **SHORT)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    again = train(tmp_path / "parts", **SHORT)
    assert comparable(again) == comparable(whole)[3:]
    kept = [path.name for path in (tmp_path / "parts/checkpoint").iterdir()]
    assert sorted(kept) == ["artifacts", "step-000000009"]


def test_golden_losses(tmp_path):
    """The losses of a seed on this network, written down: they change only on purpose."""
    losses = train(tmp_path, max_steps=5).values("train_loss")
    assert losses == pytest.approx([9.36233, 8.71190, 2.99489, 2.44753, 2.86954], rel=1e-4)


def test_several_batches_weigh_as_one(tmp_path):
    """Four batches of unequal targets move the weights as one batch of all their examples does."""
    found = []
    for name, size, batches in (("one", 16, 1), ("four", 4, 4)):
        task = Task()
        task.module[1].p = 0.0
        sizes = {"batch_size": size, "gradient_accumulation_steps": batches}
        trial = train(tmp_path / name, task, max_steps=1, optimizer_type="SGD", **sizes)
        weights = torch.cat([each.detach().flatten() for each in task.module.parameters()])
        found.append((weights, trial.values("train_loss"), trial.values("gradient_norm")))
    (one, loss, norm), (four, losses, norms) = found
    assert torch.allclose(one, four, rtol=1e-5, atol=1e-7)
    assert losses == pytest.approx(loss)
    assert norms == pytest.approx(norm)


def test_batches_from_other_processes_are_the_same(tmp_path):
    """Who makes the batches changes no loss, from the middle of an epoch on neither."""
    alone = train(tmp_path / "a", max_steps=3)
    helped = train(tmp_path / "b", at("loss", 2, terminate), max_steps=3, data_workers=2)
    again = train(tmp_path / "b", max_steps=3, data_workers=2)
    assert comparable(helped) + comparable(again) == comparable(alone)


def test_no_step_on_what_is_not_finite(tmp_path):
    """A gradient that is not finite changes no weight; the step is counted, not averaged."""
    task = Task()
    before = [each.detach().clone() for each in task.module.parameters()]
    task.inputs[:] = math.nan
    trial = train(tmp_path, task, max_steps=2)
    assert trial.values("skipped_steps") == [1, 2]
    assert all(map(math.isnan, trial.values("train_loss")))
    assert all(map(torch.equal, before, task.module.parameters()))


@pytest.mark.parametrize("fault", ["weight", "rate"])
def test_three_in_a_row_and_it_has_diverged(tmp_path, fault):
    """A NaN among the weights, a rate of a million: the objective is NaN, and the trial ends."""
    task = Task()
    if fault == "weight":
        task.module[0].weight.data[0, 0] = math.nan
    rate = 1e6 if fault == "rate" else 1e-2
    trial = train(
        tmp_path,
        task,
        max_steps=60,
        learning_rate=rate,
        head_rate=rate,
        optimizer_type="SGD",
        lr_scheduler="constant",
        max_grad_norm=0.0,
    )
    step, last = trial.reports[-1]
    assert step < 60
    assert trial.values("skipped_steps")[-1] <= 2
    assert last.keys() == {"eval_loss", "train_loss"}
    assert all(map(math.isnan, last.values()))
    assert trial.result["state"] == "Complete"
    assert trial.result["metrics"]["eval_loss"] == "NaN"


def test_a_loss_scale_that_is_too_large(tmp_path, monkeypatch):
    """With fp16 the first steps look for a scale: left out, but no fault; a NaN is one as ever."""
    half = Device(torch.device("cpu"), torch.float16)
    monkeypatch.setattr(devices, "chosen", lambda _precision: half)
    task = Task()
    task.inputs.mul_(4)
    before = task.module[0].weight.detach().clone()
    trial = train(tmp_path / "a", task, epochs=2, max_steps=12, optimizer_type="SGD")
    norms = trial.values("gradient_norm")
    assert [math.isfinite(norm) for norm in norms[:3]] == [False] * 3
    assert math.isfinite(norms[-1])
    assert trial.values("skipped_steps")[-1] == 0
    assert trial.values("gradient_explosions")[-1] == 0
    assert not torch.equal(before, task.module[0].weight)
    task.inputs[:] = math.nan
    trial = train(tmp_path / "b", task, max_steps=12)
    assert trial.reports[-1][0] == 3


def test_what_is_reported_when(tmp_path):
    """Each so many steps, and at the end; an evaluation after each epoch where nothing is said."""
    trial = train(tmp_path / "a", epochs=2, max_steps=7, log_every=3, evaluate_every=5)
    steps = [(step, "eval_loss" in metrics) for step, metrics in trial.reports]
    assert steps == [(3, False), (5, True), (6, False), (7, False), (7, True)]
    trial = train(tmp_path / "b", epochs=2)
    assert [step for step, metrics in trial.reports if "eval_loss" in metrics] == [6, 12]
    assert trial.values("epoch")[-1] == 2
    assert trial.values("eval_epoch") == [1, 2]
    each = trial.values("step_seconds")
    assert trial.values("epoch_seconds") == pytest.approx([sum(each[:6]), sum(each[6:])])


def test_it_ends_when_it_gets_no_better(tmp_path, capfd):
    """So many evaluations without the least improvement end a trial, which is complete."""
    given = {"evaluate_every": 1, "early_stop_evaluations": 2, "early_stop_min_delta": 1e9}
    trial = train(tmp_path, epochs=2, **given)
    assert trial.reports[-1][0] == 3
    assert trial.result["state"] == "Complete"
    assert "has not improved for 2 evaluations" in capfd.readouterr().err
    again = train(tmp_path, epochs=2, **given)
    assert again.reports == []
    assert again.result["state"] == "Complete"


def test_the_best_model_is_kept(tmp_path):
    """Not the last one: what lies there measures as the best evaluation said."""
    task = Task()
    trial = train(tmp_path, task, max_steps=12, evaluate_every=1, learning_rate=0.1)
    losses = trial.values("eval_loss")
    assert losses[-1] > min(losses)
    task.load(tmp_path / "checkpoint/artifacts/best")
    task.module.eval()
    assert task.evaluate(lambda: False)["eval_loss"] == min(losses)
    assert [path.name for path in (tmp_path / "checkpoint/artifacts").iterdir()] == ["best"]


def test_held_back_data_are_for_the_last_stage_and_the_best_weights(tmp_path):
    """A search never opens them; the held-out stage does once, after a stop in its middle too."""
    given = {"max_steps": 12, "evaluate_every": 1, "learning_rate": 0.1}
    task = Task()
    search = train(tmp_path / "search", task, **given)
    assert "test" not in task.counts
    whole = train(tmp_path / "whole", stage="heldout", **given)
    assert whole.values("test_loss") == [min(search.values("eval_loss"))]
    stopped = train(tmp_path / "parts", at("test", 1, terminate), stage="heldout", **given)
    assert (stopped.exit_code, stopped.result["state"]) == (143, "Stopped")
    again = train(tmp_path / "parts", stage="heldout", **given)
    assert again.values("test_loss") == whole.values("test_loss")
    assert again.result["state"] == "Complete"


def test_memory_that_runs_out_says_what_for(tmp_path):
    """An allocation that cannot be met, and a GPU's error: OutOfMemory, 70, what was being done."""
    huge = train(tmp_path / "a", at("loss", 2, lambda: torch.empty(10**15)))
    assert huge.exit_code == 70
    assert huge.result["reason"] == "OutOfMemory"
    assert "step 2, 1 batches of 4 x 4 x 8" in huge.result["message"]
    assert "4000000000000000 bytes" in huge.result["message"]

    def injected():
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nAdvice")

    gpu = train(tmp_path / "b", at("evaluate", 1, injected))
    assert gpu.exit_code == 70
    words = "evaluation after step 6: CUDA out of memory. Tried to allocate 2.00 GiB."
    assert gpu.result["message"] == words


def test_sigterm_within_a_save(tmp_path, monkeypatch):
    """A save is finished whatever comes, and the next attempt goes on from it."""
    whole = train(tmp_path / "whole", **SHORT)
    write, told = state.write, []

    def interrupted(folder, *rest):
        if not told:
            told.append(True)
            (folder / "half").write_text("")
            terminate()
        write(folder, *rest)

    monkeypatch.setattr(state, "write", interrupted)
    first = train(tmp_path / "parts", **SHORT)
    assert first.exit_code == 143
    kept = checkpoints.latest(tmp_path / "parts/checkpoint")
    assert kept is not None
    assert kept.record.step == 4
    second = train(tmp_path / "parts", **SHORT)
    assert comparable(first) + comparable(second) == comparable(whole)


def test_a_full_disk_ends_nothing(tmp_path, small_disk, capfd):
    """Training goes on and says so once; the checkpoint from before stays whole, and serves."""
    given = {"max_steps": 6, "evaluate_every": 2, "optimizer_type": "SGD"}
    whole = train(tmp_path, **given)
    trial = train(small_disk.folder, at("evaluate", 4, small_disk.fill), **given)
    small_disk.free()
    assert comparable(trial) == comparable(whole)
    assert trial.result["state"] == "Complete"
    said = capfd.readouterr().err
    assert said.count("no checkpoint, training goes on") == 1
    assert "the best model cannot be kept" in said
    root = small_disk.folder / "checkpoint"
    assert sorted(path.name for path in root.iterdir()) == ["artifacts", "step-000000002"]
    assert [path.name for path in (root / "artifacts").iterdir()] == ["best"]
    again = train(small_disk.folder, **given)
    assert comparable(again) == comparable(whole)[3:]


def test_what_is_trained_is_said_first(tmp_path, capfd):
    """One line: weights, examples, steps, and where."""
    train(tmp_path, max_steps=1, head_rate=0.0, gradient_accumulation_steps=2)
    said = capfd.readouterr().err.splitlines()[0]
    assert said == (
        "kubetune-trainer: training 5,904 of 5,969 weights on 22 examples, 1 steps of 4 x 2, "
        "cpu in float32"
    )
