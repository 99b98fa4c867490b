"""Where pods reach what listens on loopback: the API server at its service's address, Prometheus.

`python -m tests.cluster.gate HOST:PORT=PORT ...` passes connections to HOST:PORT on to 127.0.0.1.
The addresses are those of the node's own bridge, which nothing but its pods and this machine reach.
"""

import asyncio
import sys
from contextlib import suppress

_CHUNK = 65536


async def pass_on(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, both ways, until one side ends it."""
    with suppress(OSError):
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
    writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()


async def main(rules: list[str]) -> None:
    """Listens until it is ended."""
    servers = []
    for rule in rules:
        address, _, port = rule.partition("=")
        host, _, number = address.rpartition(":")

        async def serve(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = int(port)
        ) -> None:
            await pass_on(port, reader, writer)

        servers.append(await asyncio.start_server(serve, host, int(number)))
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
