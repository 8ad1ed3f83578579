"""Calls the gateway through openai-python while its providers fail, and reports what a user sees.

Standard input has one JSON line a case: {"name", "sdk_retries", "ask", "says": [faulty, afterwards]}.
All cases run at once; the second call of a case follows its first. Standard output gets one JSON line
a case: {"name", "faulty": {...}, "afterwards": {...}}.
"""

import asyncio
import json
import os
import sys

import openai
from openai import AsyncOpenAI

URL = os.environ["TOLLHOUSE_URL"] + "/v1"


def nothing():
    return {
        "raises": None,
        "status": None,
        "code": None,
        "message": None,
        "should_retry": None,
        "retry_after": None,
        "request_id": None,
        "attempts": None,
        "text": "",
        "finish": None,
        "tokens": None,
        "ids": [],
        "roles": 0,
        "finishes": 0,
    }


def note_headers(told, headers):
    told["request_id"] = headers.get("x-request-id")
    told["attempts"] = headers.get("tollhouse-attempts")
    told["should_retry"] = headers.get("x-should-retry")
    told["retry_after"] = headers.get("retry-after")


def note_id(told, name):
    if name not in told["ids"]:
        told["ids"].append(name)


async def note_stream(told, stream):
    async for chunk in stream:
        note_id(told, chunk.id)
        if chunk.usage:
            told["tokens"] = chunk.usage.total_tokens
        for choice in chunk.choices:
            told["text"] += choice.delta.content or ""
            told["roles"] += choice.delta.role is not None
            if choice.finish_reason:
                told["finishes"] += 1
                told["finish"] = choice.finish_reason


def note_whole(told, reply):
    note_id(told, reply.id)
    told["text"] = reply.choices[0].message.content or ""
    told["finish"] = reply.choices[0].finish_reason
    told["tokens"] = reply.usage and reply.usage.total_tokens
    told["roles"] = told["finishes"] = 1


async def call(client, ask, says):
    told = nothing()
    if ask["stream"]:
        ask = ask | {"stream_options": {"include_usage": True}}
    try:
        messages = [{"role": "user", "content": says}]
        raw = await client.chat.completions.with_raw_response.create(messages=messages, **ask)
        note_headers(told, raw.headers)
        answer = raw.parse()
        if ask["stream"]:
            await note_stream(told, answer)
        else:
            note_whole(told, answer)
    except openai.APIError as error:
        told["raises"] = type(error).__name__
        told["code"] = error.code
        told["message"] = error.message
        if isinstance(error, openai.APIStatusError):
            told["status"] = error.status_code
            note_headers(told, error.response.headers)
    return told


async def run(client, case):
    retries = case["sdk_retries"]
    if retries is not None:
        client = client.with_options(max_retries=retries)
    faulty, afterwards = case["says"]
    return {
        "name": case["name"],
        "faulty": await call(client, case["ask"], faulty),
        "afterwards": await call(client, case["ask"], afterwards),
    }


async def main():
    cases = [json.loads(line) for line in sys.stdin if line.strip()]
    async with AsyncOpenAI(base_url=URL, api_key=os.environ["TOLLHOUSE_KEY"], timeout=60) as client:
        for report in await asyncio.gather(*(run(client, case) for case in cases)):
            print(json.dumps(report))


asyncio.run(main())
