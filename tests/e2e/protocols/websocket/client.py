"""Uses an app that speaks WebSocket in all ways and prints what comes: client.py PORT HOST"""

import asyncio
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

port, host = sys.argv[1:]


def open_socket(path="/talk?a=b"):
    options = {"proxy": None, "open_timeout": 60, "max_size": None, "subprotocols": ["other", "chat"]}
    return connect(f"ws://{host}{path}", host="127.0.0.1", port=int(port), **options)


async def closed(socket):
    try:
        await socket.recv()
    except ConnectionClosed as error:
        return error.rcvd and (error.rcvd.code, error.rcvd.reason)


async def first():
    async with open_socket() as socket:
        return await socket.recv()


async def main():
    # All at once, while the app is at zero.
    said = await asyncio.gather(*(first() for _ in range(20)))
    print("zero", len(said), *set(said))
    async with open_socket() as socket:
        print("first", await socket.recv())
        for message in ["text ä", b"\x00\xff", "", "x" * 3_000_000]:
            await socket.send(message)
            print("echo", await socket.recv() == message)
        await socket.send(["in ", "pieces"])
        print("echo", await socket.recv())
        print("pong", await (await socket.ping()) >= 0)
        await socket.close(4000, "done")
        print("closed", socket.close_code, socket.close_reason)
    for word in ["leave", "break"]:
        async with open_socket() as socket:
            await socket.recv()
            await socket.send(word)
            print(word, await closed(socket))
    try:
        async with open_socket("/refused"):
            print("taken")
    except InvalidStatus as error:
        print("refused", error.response.status_code, bytes(error.response.body).decode().strip())


asyncio.run(main())
