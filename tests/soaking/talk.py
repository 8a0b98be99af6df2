"""Talks WebSocket on many connections and prints, as JSON, what became of each message: talk.py PORT HOST"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect

SOCKETS = 20
MESSAGES = 20
port, host = sys.argv[1:]


async def talk(number, found):
    try:
        options = {"proxy": None, "open_timeout": 60, "close_timeout": 60}
        async with connect(f"ws://{host}/", host="127.0.0.1", port=int(port), **options) as socket:
            for round_ in range(MESSAGES):
                message = f"{number} {round_} " + "x" * (number * 500)
                found["sent"] += 1
                await socket.send(message)
                echo = await asyncio.wait_for(socket.recv(), 60)
                found["answered"] += echo == message
                await asyncio.sleep(0.1)
    except Exception as error:  # whatever it is, it is a loss
        found["errors"].append(f"{type(error).__name__}: {error}")
        found["broken"] += 1


async def main():
    found = {"sent": 0, "answered": 0, "broken": 0, "errors": []}
    await asyncio.gather(*(talk(number, found) for number in range(SOCKETS)))
    found["errors"] = found["errors"][:3]
    print(json.dumps(found))


asyncio.run(main())
