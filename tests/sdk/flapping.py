"""Keeps calling the gateway through openai-python, CALLERS at a time, until provider `p0` has given
WANTED answers or a minute is over; prints who answered each call, in order, or what was raised.
"""

import asyncio
import os
import time

import openai
from openai import AsyncOpenAI

URL = os.environ["TOLLHOUSE_URL"] + "/v1"
CALLERS = int(os.environ["CALLERS"])
WANTED = int(os.environ["WANTED"])
HELLO = [{"role": "user", "content": "What does the fox do?"}]


async def caller(client, told, until):
    while told.count("p0") < WANTED and time.monotonic() < until:
        try:
            raw = await client.chat.completions.with_raw_response.create(model="m", messages=HELLO)
            told.append(raw.headers["tollhouse-provider"])
        except openai.APIError as error:
            told.append(f"{type(error).__name__}: {error.message}")
        await asyncio.sleep(0.01)


async def main():
    told = []
    async with AsyncOpenAI(base_url=URL, api_key="any", max_retries=0) as client:
        until = time.monotonic() + 60
        await asyncio.gather(*(caller(client, told, until) for _ in range(CALLERS)))
    print("\n".join(told))


asyncio.run(main())
