"""A client that is not ours reads what a watcher told."""

import asyncio
import sys

import msgpack
import nats


async def main(url: str) -> None:
    client = await nats.connect(url)
    js = client.jetstream()
    made = (await js.stream_info("farwatch")).config
    print(
        f"limits: bytes {made.max_bytes} age {made.max_age:.0f} s"
        f" duplicates {made.duplicate_window:.0f} s"
    )
    count = (await js.stream_info("farwatch")).state.messages
    ids = set()
    subscription = await js.subscribe("ai.farwatch.>", ordered_consumer=True)
    for _ in range(count):
        message = await subscription.next_msg(timeout=10)
        body = msgpack.unpackb(message.data)
        incident = body["incident"]
        assert message.headers["Nats-Msg-Id"] == body["id"]
        assert body["id"] not in ids
        ids.add(body["id"])
        signals = ",".join(f["signal"] for f in incident["findings"])
        print(
            message.subject,
            body["cluster"],
            body["by"],
            body["revision"],
            incident["state"],
            signals,
        )
    await client.close()


asyncio.run(main(sys.argv[1]))
