"""openai-python against the gateway: what its users do, and what its exceptions say.

Run by tests/tests/sdks.rs, which starts the gateway and sets TOLLHOUSE_URL and TOLLHOUSE_KEY.
"""

import os
import unittest

import openai
from openai import OpenAI
from pydantic import BaseModel

URL = os.environ["TOLLHOUSE_URL"] + "/v1"
KEY = os.environ["TOLLHOUSE_KEY"]
HELLO = [{"role": "user", "content": "Hello there"}]


def client(**options):
    return OpenAI(base_url=URL, api_key=options.pop("api_key", KEY), max_retries=options.pop("max_retries", 0), **options)


def mock(script):
    return {"tollhouse-mock": script}


class Chat(unittest.TestCase):
    def test_a_completion_has_content_usage_and_a_request_id(self):
        reply = client().chat.completions.create(model="mock", messages=HELLO)
        self.assertTrue(reply.choices[0].message.content)
        self.assertEqual(reply.choices[0].finish_reason, "stop")
        self.assertEqual(reply.usage.total_tokens, reply.usage.prompt_tokens + reply.usage.completion_tokens)
        self.assertTrue(reply._request_id)

    def test_n_choices(self):
        reply = client().chat.completions.create(model="mock", messages=HELLO, n=3)
        self.assertEqual([choice.index for choice in reply.choices], [0, 1, 2])

    def test_a_stream_adds_up_to_the_whole_answer(self):
        whole = client().chat.completions.create(model="mock", messages=HELLO).choices[0].message.content
        chunks = list(client().chat.completions.create(model="mock", messages=HELLO, stream=True))
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        self.assertEqual(text, whole)
        self.assertEqual(chunks[-1].choices[0].finish_reason, "stop")
        self.assertTrue(all(chunk.usage is None for chunk in chunks))

    def test_a_stream_reports_usage_when_asked(self):
        chunks = list(
            client().chat.completions.create(
                model="mock", messages=HELLO, stream=True, stream_options={"include_usage": True}
            )
        )
        self.assertEqual(chunks[-1].choices, [])
        self.assertGreater(chunks[-1].usage.completion_tokens, 0)

    def test_a_required_tool_is_called_with_arguments_of_its_schema(self):
        tool = {
            "type": "function",
            "function": {
                "name": "get_weather",
                "parameters": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                    "required": ["city", "days"],
                },
            },
        }
        reply = client().chat.completions.create(
            model="mock", messages=HELLO, tools=[tool], tool_choice="required"
        )
        call = reply.choices[0].message.tool_calls[0]
        self.assertEqual(call.function.name, "get_weather")
        self.assertEqual(reply.choices[0].finish_reason, "tool_calls")
        import json

        arguments = json.loads(call.function.arguments)
        self.assertIsInstance(arguments["city"], str)
        self.assertIsInstance(arguments["days"], int)

    def test_structured_output_parses(self):
        class Answer(BaseModel):
            title: str
            score: int

        reply = client().chat.completions.parse(model="mock", messages=HELLO, response_format=Answer)
        self.assertIsInstance(reply.choices[0].message.parsed, Answer)

    def test_pictures_and_unknown_fields_travel_through(self):
        message = {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
            ],
        }
        reply = client().chat.completions.create(
            model="mock", messages=[message], extra_body={"a_field_of_tomorrow": {"x": [1, 2]}}
        )
        self.assertTrue(reply.choices[0].message.content)

    def test_log_probabilities(self):
        reply = client().chat.completions.create(model="mock", messages=HELLO, logprobs=True, top_logprobs=2)
        self.assertTrue(reply.choices[0].logprobs.content)

    def test_raw_headers_tell_limits_cache_and_cost(self):
        raw = client().chat.completions.with_raw_response.create(model="mock", messages=HELLO)
        self.assertIn(raw.headers["tollhouse-cache"], {"hit", "miss", "bypass"})
        self.assertIn("x-ratelimit-remaining-requests", raw.headers)
        self.assertEqual(raw.headers["tollhouse-provider"], "mock")


class Others(unittest.TestCase):
    def test_legacy_completions(self):
        reply = client().completions.create(model="mock", prompt="Once upon a time")
        self.assertTrue(reply.choices[0].text)

    def test_embeddings_are_unit_vectors_of_the_size_asked_for(self):
        reply = client().embeddings.create(model="embed", input=["one", "two"], dimensions=64)
        self.assertEqual([len(item.embedding) for item in reply.data], [64, 64])
        self.assertAlmostEqual(sum(x * x for x in reply.data[0].embedding), 1.0, places=3)
        self.assertNotEqual(reply.data[0].embedding, reply.data[1].embedding)

    def test_models_are_listed_and_found(self):
        names = [model.id for model in client().models.list()]
        self.assertIn("mock", names)
        self.assertEqual(client().models.retrieve("mock").id, "mock")


class Errors(unittest.TestCase):
    def test_a_wrong_key(self):
        with self.assertRaises(openai.AuthenticationError) as caught:
            client(api_key="wrong").models.list()
        self.assertEqual(caught.exception.code, "invalid_api_key")
        self.assertTrue(caught.exception.request_id)

    def test_an_unknown_model(self):
        with self.assertRaises(openai.NotFoundError) as caught:
            client().chat.completions.create(model="nothing-like-it", messages=HELLO)
        self.assertEqual(caught.exception.code, "model_not_found")

    def test_a_value_out_of_bounds_names_its_field(self):
        with self.assertRaises(openai.BadRequestError) as caught:
            client().chat.completions.create(model="mock", messages=HELLO, max_tokens=4097)
        self.assertEqual(caught.exception.param, "max_tokens")

    def test_a_provider_that_limits_us(self):
        with self.assertRaises(openai.RateLimitError):
            client().chat.completions.create(
                model="once", messages=HELLO, extra_headers=mock("status=429; retry-after=1")
            )

    def test_a_provider_that_fails(self):
        with self.assertRaises(openai.InternalServerError):
            client().chat.completions.create(model="once", messages=HELLO, extra_headers=mock("status=500"))

    def test_a_cut_stream_raises_instead_of_ending(self):
        stream = client().chat.completions.create(
            model="once", messages=HELLO, stream=True, extra_headers=mock("cut-after=2")
        )
        with self.assertRaises(openai.APIError):
            list(stream)


class OwnRetries(unittest.TestCase):
    def test_the_sdk_waits_as_our_headers_say_and_then_succeeds(self):
        # The bucket holds thirty requests and refills one every two seconds.
        limited = client(api_key=os.environ["TOLLHOUSE_LIMITED_KEY"], max_retries=4)
        for _ in range(31):
            limited.chat.completions.create(model="mock", messages=HELLO)

    def test_the_sdk_does_not_retry_what_we_call_final(self):
        raised = None
        try:
            client(max_retries=5).chat.completions.create(
                model="once", messages=HELLO, extra_headers=mock("status=503")
            )
        except openai.InternalServerError as error:
            raised = error
        self.assertEqual(raised.response.headers["x-should-retry"], "false")


if __name__ == "__main__":
    unittest.main(verbosity=1)
