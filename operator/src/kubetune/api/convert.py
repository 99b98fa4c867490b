"""A study, from the wire into the domain: one function for each part."""

from collections.abc import Mapping
from dataclasses import dataclass

from kubetune.api.compiling import GUARD_VARIABLES, OUTCOME_VARIABLES, Compiler, scope_of
from kubetune.api.mending import Draft
from kubetune.api.v1alpha1.finalists import Finalists as WireFinalists
from kubetune.api.v1alpha1.finalists import WarmStart as WireWarmStart
from kubetune.api.v1alpha1.objective import Objective as WireObjective
from kubetune.api.v1alpha1.phase import Budget as WireBudget
from kubetune.api.v1alpha1.phase import Plateau as WirePlateau
from kubetune.api.v1alpha1.pruner import Pruner as WirePruner
from kubetune.api.v1alpha1.running import PodTemplate
from kubetune.api.v1alpha1.sampler import Sampler as WireSampler
from kubetune.api.v1alpha1.study import TuningStudy
from kubetune.api.v1alpha1.trials import TrialPolicy as WireTrialPolicy
from kubetune.domain.expressions import Kind
from kubetune.domain.space import Space
from kubetune.domain.study import (
    Adjustment,
    Budget,
    EarlierStudy,
    Finalists,
    Guard,
    InitialTrial,
    Keep,
    MetricQuery,
    Objective,
    OutcomeClass,
    OutcomeConstraint,
    Patience,
    Phase,
    Plateau,
    Pruner,
    Sampler,
    StudySpec,
    TrialPolicy,
    WarmStart,
)

NUMBERS = (Kind.INT, Kind.DOUBLE)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the compiler made of the rules over running and ended trials."""

    guards: tuple[Guard, ...] = ()
    outcomes: tuple[OutcomeClass, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()


def rules(draft: Draft, compiler: Compiler, kinds: Mapping[str, Kind]) -> Rules:
    """Guards, outcome classes and adjustments, those that compile."""
    return Rules(
        _guards(draft, compiler, kinds),
        _outcomes(draft, compiler, kinds),
        _adjustments(draft, compiler, kinds),
    )


def _guards(draft: Draft, compiler: Compiler, kinds: Mapping[str, Kind]) -> tuple[Guard, ...]:
    scope = scope_of(GUARD_VARIABLES, kinds)
    found = []
    for index, wire in enumerate(draft.study.spec.guards):
        path = draft.path("guards", index, "when")
        when = compiler.compile(wire.when, scope, (Kind.BOOL,), path)
        if when is not None:
            found.append(
                Guard(name=wire.name, when=when, outcome=wire.outcome, message=wire.message)
            )
    return tuple(found)


def _outcomes(
    draft: Draft, compiler: Compiler, kinds: Mapping[str, Kind]
) -> tuple[OutcomeClass, ...]:
    scope = scope_of(OUTCOME_VARIABLES, kinds)
    found = []
    for index, wire in enumerate(draft.study.spec.outcomes):
        path = draft.path("outcomes", index, "when")
        when = compiler.compile(wire.when, scope, (Kind.BOOL,), path)
        if when is not None:
            found.append(OutcomeClass(name=wire.name, when=when))
    return tuple(found)


def _adjustments(
    draft: Draft, compiler: Compiler, kinds: Mapping[str, Kind]
) -> tuple[Adjustment, ...]:
    found = []
    for index, wire in enumerate(draft.study.spec.trials.on_out_of_memory):
        kind = kinds.get(wire.name)
        expects = NUMBERS if kind is None or kind in NUMBERS else (kind,)
        path = ("spec", "trials", "onOutOfMemory", index, "value")
        value = compiler.compile(wire.value, kinds, expects, path)
        if value is not None:
            found.append(Adjustment(name=wire.name, value=value))
    return tuple(found)


def objective(wire: WireObjective) -> Objective:
    """One objective."""
    return Objective(
        metric=wire.metric, direction=wire.direction, target=wire.target, summary=wire.summary
    )


def sampler(wire: WireSampler) -> Sampler:
    """How to draw."""
    return Sampler(
        algorithm=wire.algorithm,
        seed=wire.seed,
        startup_trials=wire.startup_trials,
        settings=dict(wire.settings),
    )


def pruner(wire: WirePruner) -> Pruner:
    """How to cut; what is not given keeps the domain's default."""
    given = {
        name: getattr(wire, name)
        for name in type(wire).model_fields
        if name not in {"algorithm", "patience"} and getattr(wire, name) is not None
    }
    patience = None
    if wire.patience is not None:
        patience = Patience(
            evaluations=wire.patience.evaluations, min_delta=wire.patience.min_delta
        )
    return Pruner(algorithm=wire.algorithm, patience=patience, **given)


def trial_policy(wire: WireTrialPolicy, adjustments: tuple[Adjustment, ...]) -> TrialPolicy:
    """How many, how long, what again."""
    retries = {
        name: value
        for name, value in (
            ("disruption_retries", wire.retries.disruption),
            ("out_of_memory_retries", wire.retries.out_of_memory),
        )
        if value is not None
    }
    return TrialPolicy(
        max=wire.max,
        parallelism=wire.parallelism,
        max_failed=wire.max_failed,
        timeout_seconds=wire.timeout_seconds,
        pending_timeout_seconds=wire.pending_timeout_seconds,
        crash_is_out_of_memory=wire.retries.crash_is_out_of_memory,
        on_out_of_memory=adjustments,
        **retries,
    )


def finals(wire: WireFinalists | None) -> Finalists | None:
    """What is run again."""
    if wire is None:
        return None
    return Finalists(
        top=wire.top,
        seeds=tuple(wire.seeds),
        rank_by=wire.rank_by,
        held_out_metric=wire.held_out_metric,
        fixed=dict(wire.fixed),
    )


def plateau(wire: WirePlateau | None) -> Plateau | None:
    """When a phase brings too little."""
    if wire is None:
        return None
    return Plateau(trials=wire.trials, min_improvement=wire.min_improvement)


def budget(wire: WireBudget | None) -> Budget:
    """What a study may use up."""
    if wire is None:
        return Budget()
    return Budget(gpu_hours=wire.gpu_hours, wall_clock_seconds=wire.wall_clock_seconds)


def warm_start(wire: WireWarmStart | None) -> WarmStart | None:
    """What is taken over."""
    if wire is None:
        return None
    studies = (EarlierStudy(name=item.name, parameters=item.parameters) for item in wire.studies)
    return WarmStart(studies=tuple(studies), top=wire.top)


def gpus(template: PodTemplate) -> int:
    """How many GPUs a trial's pod asks for, of any maker; 0 where the template does not say."""
    total = 0
    for item in template.spec.containers:
        resources = item.model_dump().get("resources")
        limits = resources.get("limits") if isinstance(resources, dict) else None
        for name, amount in limits.items() if isinstance(limits, dict) else ():
            if str(name).endswith("/gpu") and str(amount).isdigit():
                total += int(amount)
    return total


def study_spec(
    study: TuningStudy,
    space: Space,
    found: Rules,
    initial_trials: tuple[InitialTrial, ...],
    phases: tuple[Phase, ...] = (),
) -> StudySpec:
    """The whole study, once nothing is wrong with it."""
    spec = study.spec
    checkpoints = spec.checkpoints
    return StudySpec(
        name=study.metadata.name,
        namespace=study.metadata.namespace,
        objectives=tuple(objective(item) for item in spec.objectives),
        space=space,
        sampler=sampler(spec.sampler),
        pruner=pruner(spec.pruner),
        trials=trial_policy(spec.trials, found.adjustments),
        guards=found.guards,
        outcome_constraints=tuple(
            OutcomeConstraint(metric=item.metric, min=item.min, max=item.max)
            for item in spec.outcome_constraints
        ),
        outcomes=found.outcomes,
        initial_trials=initial_trials,
        phases=phases,
        finalists=finals(spec.finalists),
        plateau=plateau(spec.stopping.plateau),
        budget=budget(spec.stopping.budget),
        warm_start=warm_start(spec.warm_start),
        suspend=spec.suspend,
        metrics_interval_seconds=spec.metrics.interval_seconds,
        metric_queries=tuple(
            MetricQuery(name=item.name, promql=item.promql) for item in spec.metrics.queries
        ),
        keep_checkpoints=None if checkpoints is None else Keep(checkpoints.keep),
        checkpoint_claim=None if checkpoints is None else checkpoints.claim_name,
        gpus=gpus(spec.trial_template),
        template=spec.trial_template.model_dump(by_alias=True, exclude_unset=True),
    )
