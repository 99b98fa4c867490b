"""A tuner that launches one trial per word of its command line, and then waits to be killed."""

import asyncio
import sys
from pathlib import Path

from kubetune.adapters.local.executor import LocalExecutor
from tests.unit.adapters.local.runs import make_order


async def main(folder: Path, commands: list[str]) -> None:
    executor = LocalExecutor(folder, folder, parallelism=1, grace_seconds=5)
    for number, command in enumerate(commands):
        await executor.launch(make_order(number, "sh", "-c", command))
    sys.stdout.write("launched\n")
    sys.stdout.flush()
    await asyncio.sleep(1000)


asyncio.run(main(Path(sys.argv[1]), sys.argv[2:]))
