"""A client that is not ours: makes a stream, fills it with MessagePack, reads some of it."""

import asyncio
import sys

import msgpack
import nats
from nats.js.api import StreamConfig


async def main(url: str) -> None:
    client = await nats.connect(url)
    js = client.jetstream()
    await js.add_stream(StreamConfig(name="CHAT", subjects=["ai.>"]))
    for n in range(10):
        body = {"user_id": "u1", "message": f"hello {n} é", "enable_rag": True, "raw": b"\x00\xff"}
        packed = msgpack.packb(body, datetime=True)
        await js.publish("ai.chat.user.u1.message", packed, headers={"trace": f"t{n}"})
    subscription = await js.pull_subscribe("ai.>", durable="agent", stream="CHAT")
    for message in await subscription.fetch(3):
        assert msgpack.unpackb(message.data)["user_id"] == "u1"
        await message.ack()
    await client.flush()
    # The acknowledgements are told before the end.
    await asyncio.sleep(0.3)
    await client.close()


asyncio.run(main(sys.argv[1]))
