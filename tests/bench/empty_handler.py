"""panoramisk's FastAGI with a handler that does nothing: what a session alone costs. `python -m … PORT`."""

from __future__ import annotations

import asyncio
import sys

import uvloop
from panoramisk.fast_agi import Application, Request

from .askers import PBX


async def nothing(request: Request) -> None:
    pass


async def main(port: int) -> None:
    application = Application(loop=asyncio.get_running_loop())
    application.add_route(f"identify?pbx={PBX}", nothing)
    async with await asyncio.start_server(application.handler, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
