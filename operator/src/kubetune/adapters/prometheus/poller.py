"""One question for the live values of all studies, however many ask in the same moment."""

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from kubetune.adapters.prometheus.belonging import ATTEMPT, NAMESPACE, STUDY_UID, TRIAL
from kubetune.adapters.prometheus.client import PrometheusClient, PrometheusUnreachable, Series
from kubetune.domain import samples
from kubetune.domain.result import METRIC_NAME

log = logging.getLogger(__name__)

WINDOW_SECONDS = 0.25
"""Who asks within this time of the first shares its question."""

TRIAL_LIMIT = 200
"""Trials in one question; more are asked for in several, one after the other."""

SERIES_LIMIT = 250
"""Series of one trial; a trial that shows more loses some, and no other one does."""

ENDED_WINDOW = "10m"
"""How far back the last values of an ended trial are looked for: its series go stale at its end."""

LABELS = ("__name__", "name", STUDY_UID, TRIAL, ATTEMPT, NAMESPACE, "pod", "job", "instance")
"""What is asked of each series; what else a trial writes beside its values never comes here."""

_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", re.ASCII)
_NAMES = f"{samples.METRIC}|{samples.METRIC_STEP}|{samples.STEP}|{samples.PROGRESS}"

_Answer: TypeAlias = "asyncio.Task[dict[str, list[Series]]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What one study asks for: values of running trials, last values of ended ones.

    Raises:
        ValueError: uid or namespace are not what Kubernetes makes. Nothing else of a study goes
            into a question, but numbers.
    """

    study_uid: str
    namespace: str
    running: frozenset[int] = frozenset()
    ended: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for text in (self.study_uid, self.namespace):
            if not _UID.fullmatch(text):
                raise ValueError(f"neither a uid nor a namespace: {text[:64]!r}")


@dataclass(slots=True)
class _Batch:
    """The wants of one window, and the task that answers them by study uid."""

    wants: list[Want] = field(default_factory=list)
    answer: "_Answer | None" = None


class Poller:
    """Shared by the sources of all studies; called from the event loop's thread alone."""

    def __init__(self, client: PrometheusClient, *, window_seconds: float = WINDOW_SECONDS) -> None:
        self.client = client
        self._window_seconds = window_seconds
        self._open: _Batch | None = None
        self._tasks: set[_Answer] = set()
        self._away = False

    async def read(self, want: Want) -> Sequence[Series]:
        """The series that carry this study's uid.

        Raises:
            PrometheusUnreachable: as the client does, to everyone who shared the question.
        """
        batch = self._open or self._begin()
        batch.wants.append(want)
        assert batch.answer is not None
        return (await asyncio.shield(batch.answer)).get(want.study_uid, [])

    async def close(self) -> None:
        """Forgets questions under way and lets the connection go."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.close()

    def _begin(self) -> _Batch:
        batch = self._open = _Batch()
        batch.answer = asyncio.create_task(self._ask(batch))
        self._tasks.add(batch.answer)
        batch.answer.add_done_callback(self._done)
        return batch

    async def _ask(self, batch: _Batch) -> dict[str, list[Series]]:
        try:
            await asyncio.sleep(self._window_seconds)
        finally:
            self._open = None
        found: dict[str, list[Series]] = {}
        for wants in _portions(batch.wants):
            for series in await self._query(question(wants)):
                found.setdefault(series.labels.get(STUDY_UID, ""), []).append(series)
        return found

    async def _query(self, promql: str) -> Sequence[Series]:
        """Asks; the log says once that nothing is known, and once that all is well again."""
        try:
            found = await self.client.query(promql)
        except PrometheusUnreachable as trouble:
            if not self._away:
                log.warning("live metrics cannot be read, nothing is pruned: %s", trouble)
            self._away = True
            raise
        if self._away:
            log.info("live metrics can be read again")
        self._away = False
        return found

    def _done(self, task: _Answer) -> None:
        """Takes note of a failure nobody waits for any more, so that it is not warned of."""
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()


def question(wants: Sequence[Want]) -> str:
    """One query for all of them; it brings more than was asked for, and others take their part."""
    running = [want for want in wants if want.running]
    ended = [want for want in wants if want.ended]
    parts = []
    if running:
        parts.append(_selector(running, {number for want in running for number in want.running}))
    if ended:
        past = _selector(ended, {number for want in ended for number in want.ended})
        parts.append(f"last_over_time({past}[{ENDED_WINDOW}])")
    slim = f"max by ({','.join(LABELS)}) ({' or '.join(parts)})"
    return f"topk by ({STUDY_UID},{TRIAL}) ({SERIES_LIMIT}, {slim})"


def _portions(wants: Iterable[Want]) -> Iterator[list[Want]]:
    """The wants in order, so many at a time that an answer stays within its bound."""
    portion: list[Want] = []
    trials = 0
    for want in wants:
        size = len(want.running) + len(want.ended)
        if portion and trials + size > TRIAL_LIMIT:
            yield portion
            portion, trials = [], 0
        portion.append(want)
        trials += size
    if portion:
        yield portion


def _selector(wants: Iterable[Want], numbers: Iterable[int]) -> str:
    """Names longer than a metric's, and series that claim another namespace, stay outside."""
    uids, namespaces = zip(*((want.study_uid, want.namespace) for want in wants), strict=True)
    matchers = (
        f'__name__=~"{_NAMES}"',
        f'{STUDY_UID}=~"{_any(uids)}"',
        f'{TRIAL}=~"{_any(map(str, numbers))}"',
        f'{NAMESPACE}=~"{_any(namespaces)}|"',
        f'name=~"{METRIC_NAME.pattern}|"',
    )
    return "{" + ",".join(matchers) + "}"


def _any(texts: Iterable[str]) -> str:
    return "|".join(sorted(set(texts)))
