"""Studies of several phases, with every sampler, over a database that may be opened again."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from optuna.samplers import TPESampler
from optuna.study import Study
from sqlalchemy import create_engine, text

from kubetune.adapters.optuna.desk import Desk
from kubetune.adapters.optuna.mirror import NAME, Mirror
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain import course
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.faults import SpecChanged
from kubetune.domain.space import Double, Integer, Space
from kubetune.domain.study import Narrow, Phase, Pruner, Sampler, SamplerAlgorithm, StudySpec
from kubetune.domain.trial import Trial
from tests.builders import NOW, make_outcome
from tests.contract.test_stores import Reopening
from tests.fakes.clock import FakeClock
from tests.unit.adapters.optuna.studies import HERE, MIXED, SETTINGS, scored, study

FIRST, SECOND = 10, 10


def phased(algorithm: SamplerAlgorithm = SamplerAlgorithm.TPE, **second: Any) -> StudySpec:
    """A coarse phase over the mixed space, then a fine one around its best three."""
    sampler = Sampler(
        algorithm=algorithm, seed=7, startup_trials=4, settings=SETTINGS.get(algorithm, {})
    )
    fine = {"space": MIXED, "sampler": sampler, "pruner": Pruner()} | (
        second or {"narrow": Narrow(around_top=3, shrink=0.6)}
    )
    coarse = Phase(name="coarse", space=MIXED, sampler=sampler, pruner=Pruner(), trials=FIRST)
    return study(algorithm, phases=(coarse, Phase(name="fine", **fine)))


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder}/study.db"


async def run(store: Any, phase: str, count: int) -> None:
    """Draws trials, two at a time, and ends each with its score."""
    for _ in range(0, count, 2):
        for trial in (await store.draw(2, phase)).trials:
            await store.tell(trial.number, scored(trial), NOW, NOW + 1)


async def both(store: Any) -> tuple[Trial, ...]:
    """All trials of a study that went through both phases."""
    await run(store, "coarse", FIRST)
    await run(store, "fine", SECOND)
    trials: tuple[Trial, ...] = await store.trials()
    return trials


def values(trials: tuple[Trial, ...]) -> list[Mapping[str, Any]]:
    return [trial.parameters for trial in trials]


def within(space: Space, trial: Trial) -> bool:
    """Whether its numbers lie in the ranges."""
    return all(
        item.low <= float(trial.parameters[item.name]) <= item.high
        for item in space.parameters
        if isinstance(item, Double | Integer) and item.name in trial.active
    )


@pytest.mark.parametrize("algorithm", HERE)
async def test_every_sampler_goes_on_in_a_narrowed_phase(
    tmp_path: Path, algorithm: SamplerAlgorithm
) -> None:
    """Its draws lie in the narrowed range, break no constraint, and are not those before."""
    spec = phased(algorithm)
    store = await OptunaStore.open(url_of(tmp_path), "study", spec, FakeClock())
    trials = await both(store)
    await store.close()
    space = course.space(spec, spec.phases[1], trials[:FIRST])
    fine = [trial for trial in trials if trial.phase == "fine"]
    assert fine
    for trial in fine:
        assert within(space, trial)
        assert not Coordinates(MIXED).broken(trial.parameters)
    drawn = [tuple(sorted(trial.parameters.items(), key=str)) for trial in trials]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("algorithm", HERE)
async def test_a_restart_changes_no_draw_of_any_phase(
    tmp_path: Path, algorithm: SamplerAlgorithm
) -> None:
    """A draw is a function of seed, number and history: what a phase knows is made of these."""
    spec = phased(algorithm)
    through, anew = tmp_path / "through", tmp_path / "anew"
    through.mkdir()
    anew.mkdir()
    store = await OptunaStore.open(url_of(through), "study", spec, FakeClock())
    expected = values(await both(store))
    await store.close()
    assert values(await both(Reopening(url_of(anew), spec, FakeClock()))) == expected


@pytest.mark.parametrize("algorithm", [item for item in HERE if item.value[:4] != "NSGA"])
async def test_a_phase_may_draw_otherwise(tmp_path: Path, algorithm: SamplerAlgorithm) -> None:
    """After any sampler TPE begins from what is known, and any sampler after TPE."""
    tpe = Sampler(algorithm=SamplerAlgorithm.TPE, seed=7, startup_trials=4)
    for name, first, second in (("to", None, tpe), ("from", tpe, None)):
        folder = tmp_path / name
        folder.mkdir()
        spec = phased(algorithm)
        coarse, fine = spec.phases
        coarse = replace(coarse, sampler=first or coarse.sampler)
        fine = replace(fine, sampler=second or fine.sampler)
        spec = replace(spec, phases=(coarse, fine))
        store = await OptunaStore.open(url_of(folder), "study", spec, FakeClock())
        assert len(await both(store)) > FIRST
        await store.close()


async def test_a_sequence_does_not_begin_again_over_the_same_space(tmp_path: Path) -> None:
    """A phase behind a gate goes on with the next points of the sequence, not with the first."""
    spec = phased(SamplerAlgorithm.QMC, trials=SECOND)
    store = await OptunaStore.open(url_of(tmp_path), "study", spec, FakeClock())
    trials = await both(store)
    await store.close()
    whole = study(SamplerAlgorithm.QMC)
    alone = await OptunaStore.open(url_of(tmp_path), "alone", whole, FakeClock())
    await alone.draw(FIRST + SECOND)
    assert values(trials) == values(await alone.trials())
    await alone.close()


async def test_the_joint_model_holds_all_that_lies_inside(tmp_path: Path) -> None:
    """Optuna drops a parameter for good once one counted trial has another range of it."""
    spec = phased()
    store = await OptunaStore.open(url_of(tmp_path), "study", spec, FakeClock())
    narrowed = course.space(spec, spec.phases[1], await both(store))
    records = tuple(store._records)
    await store.close()
    desk = Desk.of(spec, spec.phases[1], narrowed)
    history = desk.history(records)
    mirror = Mirror(replace(spec, space=desk.space, sampler=spec.phases[1].sampler), _axes(desk))
    mirror.sync(history)
    sampler = TPESampler(multivariate=True)
    mirrored = Study(study_name=NAME, storage=mirror.shelf, sampler=sampler)
    joint = sampler.infer_relative_search_space(mirrored, mirror.shelf.get_trial(0))
    inside = [record for record in history[:FIRST] if not record.outside]
    assert set(joint) == {axis.name for axis in _axes(desk).axes}
    assert 0 < len(inside) < FIRST
    learnt = [trial for trial in mirror.shelf.get_all_trials(0) if trial.values]
    assert len(learnt) == len(inside) + SECOND
    assert all(trial.params.keys() == set(joint) for trial in learnt)


def _axes(desk: Any) -> Coordinates:
    return Coordinates(desk.space)


async def test_a_later_phase_begins_where_an_earlier_one_led(tmp_path: Path) -> None:
    """TPE in the second phase needs no start of its own: it draws where the first was good."""
    space = Space(parameters=(Double(name="x", low=0.0, high=1.0), Double(name="y", low=0, high=1)))
    wide = replace(space, parameters=(*space.parameters, Double(name="z", low=0.0, high=1.0)))
    tpe = Sampler(algorithm=SamplerAlgorithm.TPE, seed=3, startup_trials=10)
    random = Sampler(algorithm=SamplerAlgorithm.RANDOM, seed=3)
    phases = tuple(
        Phase(name=name, space=one, sampler=sampler, pruner=Pruner())
        for name, one, sampler in (("coarse", space, random), ("fine", wide, tpe))
    )
    spec = study(space=space, phases=phases)
    store = await OptunaStore.open(url_of(tmp_path), "study", spec, FakeClock())
    for trial in (await store.draw(40, "coarse")).trials:
        miss = abs(float(trial.parameters["x"]) - 0.1) + abs(float(trial.parameters["y"]) - 0.9)
        await store.tell(trial.number, make_outcome(1 - miss), NOW, NOW)
    fine = (await store.draw(12, "fine")).trials
    await store.close()
    near = [trial for trial in fine if float(trial.parameters["x"]) < 0.45]
    assert len(near) >= 8
    assert len({trial.parameters["z"] for trial in fine}) == 12


async def test_an_earlier_phase_may_go_on_after_all(tmp_path: Path) -> None:
    """More trials of the first phase move what the second is narrowed to; all still draw."""
    spec = phased()
    store = await OptunaStore.open(url_of(tmp_path), "study", spec, FakeClock())
    before = course.space(spec, spec.phases[1], await both(store))
    for trial in (await store.draw(4, "coarse")).trials:
        best = make_outcome(2.0) if trial.parameters["x"] > 0.5 else make_outcome(1.5)  # type: ignore[operator] # a number
        await store.tell(trial.number, best, NOW, NOW)
    after = course.space(spec, spec.phases[1], await store.trials())
    assert after != before
    known = len(await store.trials())
    await run(store, "fine", 4)
    for trial in (await store.trials())[known:]:
        assert within(after, trial)
    await store.close()


async def test_a_study_from_before_there_were_phases_opens(tmp_path: Path) -> None:
    """Its trials are those of the first phase, and from then on its course is described."""
    plain = study()
    store = await OptunaStore.open(url_of(tmp_path), "study", plain, FakeClock())
    await store.draw(3)
    await store.close()
    engine = create_engine(url_of(tmp_path))
    with engine.begin() as connection:
        key = "kubetune:study"
        where = text("select value_json from study_user_attributes where key = :key")
        described = connection.execute(where, {"key": key}).scalar_one()
        old = described.replace(', "phases": []', "")
        assert old != described
        change = text("update study_user_attributes set value_json = :old where key = :key")
        connection.execute(change, {"old": old, "key": key})
    engine.dispose()
    store = await OptunaStore.open(url_of(tmp_path), "study", phased(), FakeClock())
    assert len((await store.draw(2, "fine")).trials) == 2
    await store.close()
    with pytest.raises(SpecChanged, match="phases"):
        await OptunaStore.open(url_of(tmp_path), "study", plain, FakeClock())
