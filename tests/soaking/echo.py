"""A WebSocket server that says what it is told."""

import asyncio
import os

from websockets.asyncio.server import serve


async def talk(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    async with serve(talk, "127.0.0.1", int(os.environ["PORT"]), max_size=None):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
