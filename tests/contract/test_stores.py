"""The rules of both store contracts for every store there is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain.study import StudySpec
from tests.contract.store_contract import StoreContract
from tests.contract.store_course_contract import StoreCourseContract
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore


class Reopening:
    """An OptunaStore that is opened for each call alone: nothing lives but the database."""

    def __init__(self, url: str, spec: StudySpec, clock: FakeClock, *, name: str = "study") -> None:
        self._arguments = (url, name, spec, clock)

    def __getattr__(self, name: str) -> Any:
        async def call(*arguments: Any, **options: Any) -> Any:
            store = await OptunaStore.open(*self._arguments)
            try:
                answer = await getattr(store, name)(*arguments, **options)
                if name == "follow":
                    url, study, _, clock = self._arguments
                    self._arguments = (url, study, arguments[0], clock)
                return answer
            finally:
                await store.close()

        return call


class TestOptunaStore(StoreContract, StoreCourseContract):
    @asynccontextmanager
    async def open_store(
        self, folder: Path, spec: StudySpec, clock: FakeClock
    ) -> AsyncIterator[OptunaStore]:
        store = await OptunaStore.open(f"sqlite:///{folder}/study.db", "study", spec, clock)
        yield store
        await store.close()


class TestOptunaStoreReopened(StoreContract, StoreCourseContract):
    @asynccontextmanager
    async def open_store(
        self, folder: Path, spec: StudySpec, clock: FakeClock
    ) -> AsyncIterator[Reopening]:
        yield Reopening(f"sqlite:///{folder}/study.db", spec, clock)


class TestMemoryStore(StoreContract, StoreCourseContract):
    @asynccontextmanager
    async def open_store(
        self, folder: Path, spec: StudySpec, clock: FakeClock
    ) -> AsyncIterator[MemoryStore]:
        yield MemoryStore(spec, clock)
