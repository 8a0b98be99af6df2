"""A WebSocket server that says what it was asked, then the same as it is told."""

import asyncio
import os

from websockets.asyncio.server import serve


async def talk(socket):
    headers = socket.request.headers
    await socket.send(f"{headers['Host']} {headers.get('X-Forwarded-Proto')} {socket.request.path} {socket.subprotocol}")
    async for message in socket:
        if message == "leave":
            await socket.close(4321, "as asked")
        elif message == "break":
            socket.transport.abort()
        else:
            await socket.send(message)


def refuse(socket, request):
    return socket.respond(403, "not here\n") if request.path == "/refused" else None


async def main():
    port = int(os.environ["PORT"])
    async with serve(talk, "127.0.0.1", port, subprotocols=["chat"], process_request=refuse, max_size=None):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
