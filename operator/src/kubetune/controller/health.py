"""Whether the operator lives and is ready, for Kubernetes' probes.

It answers from the first moment on, also while there is nothing to watch yet: waiting is life.
"""

from collections.abc import Callable

from aiohttp import web

_OK, _FAILED, _UNAVAILABLE = 200, 500, 503


class Health:
    """`/healthz` answers 500 with the words of `sick`, `/readyz` 503 with those of `waits`.

    Both are looked at anew for each request, and give no words while all is well.
    """

    def __init__(self, sick: Callable[[], str], waits: Callable[[], str]) -> None:
        self._sick = sick
        self._waits = waits
        self._runner: web.AppRunner | None = None

    async def serve(self, address: str) -> int:
        """Begins to answer on HOST:PORT; gives the port, which the system chooses when it is 0.

        Raises:
            OSError: the address is taken, or not this machine's.
        """
        app = web.Application()
        app.router.add_get("/healthz", self._live)
        app.router.add_get("/readyz", self._ready)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        host, _, port = address.rpartition(":")
        await web.TCPSite(self._runner, host.strip("[]"), int(port)).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Frees the port; a second call does nothing."""
        if self._runner:
            await self._runner.cleanup()
        self._runner = None

    async def _live(self, _: web.Request) -> web.Response:
        words = self._sick()
        return web.Response(status=_FAILED if words else _OK, text=f"{words or 'ok'}\n")

    async def _ready(self, _: web.Request) -> web.Response:
        words = self._sick() or self._waits()
        return web.Response(status=_UNAVAILABLE if words else _OK, text=f"{words or 'ok'}\n")
