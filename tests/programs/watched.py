"""A trial that knows when its live values were read: what is made of them has reached it then."""

import threading

from kubetune_trainer import Trial

POLL_SECONDS = 0.002


class Watched(Trial):
    """A trial that counts how often its values were read."""

    reads = 0

    def _serve(self):
        super()._serve()
        assert self._exposition, "this study reads no live values"
        values = self._exposition
        handler = values._server.RequestHandlerClass
        answer = handler.do_GET

        def counted(request):
            answer(request)
            self.reads += 1

        handler.do_GET = counted

    def settle(self):
        """Until two reads have begun and ended; the second begins when the first was judged."""
        wanted = self.reads + 2
        waited = threading.Event()
        while self.reads < wanted and not self.should_stop:
            waited.wait(POLL_SECONDS)
