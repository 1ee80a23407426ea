"""A site's agent that is not ours: answers questions over the bus, in parts, as MessagePack.

It runs until it is killed. What it was asked is printed as one line of JSON per question.
"""

import asyncio
import json
import sys

import msgpack
import nats

PARTS = [
    {"type": "thinking", "content": "Clocks first."},
    {"chunk": "The clock ", "seq": 0, "model": "qwen3-site"},
    {"chunk": "of n1 ", "seq": 1},
    {"chunk": "lost", "seq": 3},
    {"chunk": "of n1 ", "seq": 1},
    {"chunk": "is ", "seq": 2},
    {"chunk": " [1].", "seq": 4, "raw": b"\x00\xff"},
    {
        "done": True,
        "sources": [{"title": "PTP handbook", "url": "http://wiki/ptp"}],
        "usage": {"prompt_tokens": 120, "completion_tokens": 9},
    },
]


async def main(url: str) -> None:
    client = await nats.connect(url)

    async def answer(message):
        question = msgpack.unpackb(message.data)
        question["subject"] = message.subject
        print(json.dumps(question), flush=True)
        subject = "ai.chat.response." + question["request_id"]
        for part in PARTS:
            await client.publish(subject, msgpack.packb(part))

    await client.subscribe("ai.chat.user.*.message", cb=answer)
    await client.flush()
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(sys.argv[1]))
