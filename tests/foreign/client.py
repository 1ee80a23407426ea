"""A foreign MCP client against `farwatch mcp`: the official Python package, over standard input and
output and over HTTP with a bearer token, by both ways of introducing oneself. Exit status 0: all as it
should be."""

import asyncio
import contextlib
import re
import subprocess
import sys
import tempfile

import httpx2
import mcp
from mcp.client.streamable_http import streamable_http_client

PROGRAM, RECORDING = sys.argv[1:3]
SERVED = ["mcp", "--replay", RECORDING, "--at", "10m"]
TOKEN = "foreign-client-0123456789"
# With `server/discover` where the server has it, and with `initialize` as older clients do.
WAYS = ["auto", "legacy"]


def text(result):
    return "".join(part.text for part in result.content)


async def looks_right(server, way):
    async with mcp.Client(server, mode=way) as client:
        tools = (await client.list_tools()).tools
        names = [tool.name for tool in tools]
        assert len(names) > 30 and "list_incidents" in names, names
        for tool in tools:
            assert tool.annotations.read_only_hint, tool
            assert tool.input_schema["type"] == "object", tool
        called = 0
        for tool, arguments, wanted in [
            ("list_incidents", {}, "INC-1"),
            ("get_gpu_summary", {}, "gpu-a-02"),
            ("query_metrics", {"query": "DCGM_FI_DEV_GPU_TEMP"}, "gpu-a-02"),
            ("read_runbook", {"id": "gpu-hot"}, "## Decide"),
        ]:
            told = await client.call_tool(tool, arguments)
            assert not told.is_error and wanted in text(told), (tool, told)
            assert text(told).startswith(f'<data from="{tool}">'), told
            called += 1
        for tool, arguments, wanted in [
            ("delete_pod", {}, "there is no tool"),
            ("query_metrics", {"expr": "up"}, "unknown field"),
        ]:
            told = await client.call_tool(tool, arguments)
            assert told.is_error and wanted in text(told), (tool, told)
            called += 1
        many = [client.call_tool("get_fleet_summary", {}) for _ in range(20)]
        assert all("cluster" in text(told) for told in await asyncio.gather(*many))
        return f"{len(names)} tools, {called + len(many)} calls"


@contextlib.contextmanager
def listening():
    with tempfile.NamedTemporaryFile("w", suffix=".token") as token:
        token.write(TOKEN)
        token.flush()
        told = [PROGRAM, *SERVED, "--listen", "127.0.0.1:0", "--token-file", token.name]
        program = subprocess.Popen(told, stderr=subprocess.PIPE, text=True)
        try:
            line = program.stderr.readline()
            yield re.search(r"http://\S+", line).group()
        finally:
            program.terminate()
            program.wait()


async def over_http(url, token, way):
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
        return await looks_right(streamable_http_client(url, http_client=http), way)


async def main():
    for way in WAYS:
        stdio = mcp.StdioServerParameters(command=PROGRAM, args=SERVED)
        print(f"standard input and output, {way}: {await looks_right(stdio, way)}")
    with listening() as url:
        for way in WAYS:
            print(f"HTTP with a token, {way}: {await over_http(url, TOKEN, way)}")
            try:
                await over_http(url, "another-0123456789", way)
            except Exception:  # However the SDK wraps the 401.
                print(f"HTTP with a wrong token, {way}: refused")
            else:
                raise AssertionError("a wrong token was let in")


asyncio.run(asyncio.wait_for(main(), 120))
