"""The planner by a language model, against a server on loopback: modes, streaming, retries, and every way to fail."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from llm_server import LlmServer, Reply, llm_server
from loopback import QuietHandler, listening
from story_samples import ANSWER, TEXT
from wan_engine.errors import Cancelled, InputError
from wan_engine.schedule.storyboard import Storyboard
from wan_engine.storyboard.lengths import Lengths
from wan_engine.storyboard.llm.client import LlmClient
from wan_engine.storyboard.llm.planner import LlmPlanner, enhanced
from wan_engine.storyboard.planner import Ask, Planned, PlanningFailed, Usage
from wan_engine.storyboard.services import MODES, Service

LENGTHS = Lengths(step=Fraction(1, 4), most=Fraction(5))
KEY = "sk-0123456789-secret"
GOOD = json.dumps(ANSWER)
LONG = {**ANSWER, "segments": ANSWER["segments"] * 3}


def service(server: LlmServer, **values: Any) -> Service:
    return replace(Service(server.address, KEY, "small", timeout=5.0), **values)


def plan(server: LlmServer, ask: Ask | None = None, **values: Any) -> tuple[Planned, list[Storyboard]]:
    partials: list[Storyboard] = []
    planner = LlmPlanner(service(server, **values), LENGTHS)
    return planner.plan(ask or Ask(TEXT), partials.append, lambda: False), partials


def failure(*replies: Reply, **values: Any) -> tuple[PlanningFailed, LlmServer]:
    with llm_server(*replies) as server, pytest.raises(PlanningFailed) as caught:
        plan(server, **values)
    assert KEY not in str(caught.value)
    return caught.value, server


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_gives_the_storyboard(mode: str) -> None:
    text = f"```json\n{GOOD}\n```" if mode == "md_json" else GOOD
    with llm_server(Reply(text)) as server:
        planned, partials = plan(server, mode=mode, temperature=0.7)
    story = planned.storyboard
    assert [(segment.prompt, segment.seconds) for segment in story.segments] == [
        ("Dot moves right", 2),
        ("the blue square moves down", 1.5),
    ]
    assert [keyframe.description for keyframe in story.keyframes] == [
        "a red circle at the left",
        "a blue square at the top",
        "a blue square at the bottom",
    ]
    assert (story.style, story.characters[0].look, story.text) == ("on black", "a red circle", TEXT)
    assert planned.notes == ("Fitted to the lengths that the video model makes: segment 2",)
    assert [len(each.segments) for each in partials] == [1, 2]
    assert planned.usage == Usage(
        100, len(text) // 4, None, f"small took 100 tokens sent and {len(text) // 4} received"
    )
    (asked,) = server.requests
    assert (asked["model"], asked["temperature"], asked["stream"]) == ("small", 0.7, True)
    assert asked["authorization"] == f"Bearer {KEY}"
    assert TEXT in json.dumps(asked["messages"])
    assert ("tools" in asked, "response_format" in asked) == (mode == "tools", mode in ("json", "json_schema"))


def test_what_is_wanted_is_asked_for_and_kept() -> None:
    with llm_server(Reply(GOOD)) as server:
        planned, _ = plan(server, Ask(TEXT, seconds=7, segments=2, film={"fps": 16}))
    assert planned.storyboard.seconds == 7
    assert planned.storyboard.film == {"fps": 16}
    assert "temperature" not in server.requests[0]
    words = json.dumps(server.requests[0])
    assert "7 seconds" in words
    assert "exactly 2 segments" in words


def test_a_model_is_told_what_is_wrong_and_asked_again() -> None:
    bad = {**ANSWER, "segments": [{**ANSWER["segments"][0], "seconds": -1}]}
    with llm_server(Reply(json.dumps(bad)), Reply(json.dumps({**ANSWER, "segments": []})), Reply(GOOD)) as server:
        planned, _ = plan(server)
    assert len(planned.storyboard.segments) == 2
    assert "greater than 0" in json.dumps(server.requests[1]["messages"])
    error, server = failure(Reply(json.dumps(bad)))
    assert "not in the form of a storyboard" in error.message
    assert len(server.requests) == 3


def test_what_every_answer_took_is_counted() -> None:
    bad = json.dumps({**ANSWER, "segments": []})
    with llm_server(Reply(bad), Reply(GOOD)) as server:
        planned, _ = plan(server, price_in=1.0, price_out=10.0)
    usage, received = planned.usage, len(bad) // 4 + len(GOOD) // 4
    assert usage is not None
    assert (usage.tokens_in, usage.tokens_out) == (200, received)
    assert usage.dollars == pytest.approx((200 + 10 * received) / 1e6)
    error, _ = failure(Reply(json.dumps(LONG)[:1100], finish="length"))
    assert error.usage is not None
    assert error.usage.tokens_out == 275


def test_a_service_that_counts_nothing_is_told_of() -> None:
    refusal = Reply("stream_options: Extra inputs are not permitted", status=422)
    with llm_server(refusal, Reply(GOOD)) as server:
        planned, _ = plan(server)
    assert planned.usage is None
    assert "The service did not say how many tokens planning took" in planned.notes
    assert ["stream_options" in each for each in server.requests] == [True, False]


@pytest.mark.parametrize("usage", [{"total_tokens": 5}, {"prompt_tokens": 5, "completion_tokens": None}, {}])
def test_a_service_that_counts_by_halves_counts_nothing(usage: dict[str, Any]) -> None:
    with llm_server(Reply(GOOD, usage=usage)) as server:
        planned, _ = plan(server)
    assert len(planned.storyboard.segments) == 2
    assert planned.usage is None
    assert "The service did not say how many tokens planning took" in planned.notes


def test_the_number_of_segments_is_checked() -> None:
    with llm_server(Reply(GOOD), Reply(json.dumps(LONG))) as server:
        planned, _ = plan(server, Ask(TEXT, segments=6))
    assert len(planned.storyboard.segments) == 6
    assert len(server.requests) == 2


def test_a_service_that_is_busy_is_asked_again() -> None:
    with llm_server(Reply("slow down", status=429, headers={"retry-after": "0"}), Reply(GOOD)) as server:
        planned, _ = plan(server)
    assert len(planned.storyboard.segments) == 2
    assert len(server.requests) == 2


def test_a_cut_off_answer_keeps_its_whole_segments() -> None:
    error, _ = failure(Reply(json.dumps(LONG)[:1100], finish="length"))
    assert "cut off" in error.message
    assert error.part is not None
    assert 3 <= len(error.part.segments) < 6
    assert error.part.segments[0].prompt == "Dot moves right"


@pytest.mark.parametrize(
    ("mode", "length", "whole"),
    [("tools", 250, 0), ("json", 340, 1), ("tools", 780, 3), ("md_json", 1100, 5), ("json", 1110, 6)],
)
def test_an_answer_that_just_ends_is_not_taken_for_whole(mode: str, length: int, whole: int) -> None:
    error, server = failure(Reply(json.dumps(LONG)[:length]), mode=mode)
    assert "cut off: it ends in the middle" in error.message
    assert (len(error.part.segments) if error.part else 0) == whole
    assert len(server.requests) == 1


def test_words_around_an_answer_are_passed_over() -> None:
    with llm_server(Reply(f"Here {{is}} the {{story}}:\n```json\n{GOOD}\n```\nShall I {{go on}}?")) as server:
        planned, _ = plan(server, mode="md_json")
    assert len(planned.storyboard.segments) == 2


def test_an_error_within_the_answer_keeps_its_whole_segments() -> None:
    error, _ = failure(Reply(json.dumps(LONG)[:1100], fault=f"overloaded {KEY}"))
    assert "ended its answer with an error: overloaded (key)" in error.message
    assert error.part is not None
    assert len(error.part.segments) == 5


def test_a_broken_connection_keeps_its_whole_segments() -> None:
    error, server = failure(Reply(json.dumps(LONG), cut=8000))
    assert "broke off" in error.message
    assert error.part is not None
    assert len(server.requests) <= 3


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(refusal="I cannot help with that"), "the model refused: I cannot help with that"),
        (Reply("", finish="content_filter"), "the model refused to answer"),
        (Reply(f"Incorrect API key provided: {KEY}", status=401), "refuses the key"),
        (Reply("no such model", status=404), "has no model small"),
        (Reply(f"bad request with {KEY}", status=400), "status 400: "),
        (Reply("quota", status=429, headers={"retry-after": "0"}), "quota is used up: quota"),
        (Reply("oops", status=500, headers={"retry-after": "0"}), "status 500"),
        (Reply(GOOD, hang=0.8), "said nothing for 0.2 s"),
        (Reply("no JSON at all"), "not in the form of a storyboard"),
    ],
    ids=["refusal", "filter", "key", "model", "request", "quota", "down", "silent", "words"],
)
def test_every_failure_has_its_words(reply: Reply, words: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "wan_engine"):
        error, _ = failure(reply, timeout=0.2 if reply.hang else 5.0)
    assert words in error.message
    assert error.part is None
    assert error.remedy
    assert KEY not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("wan_engine"))


def test_a_page_in_place_of_an_answer_is_told() -> None:
    class Page(QuietHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_head(200, 4, {"content-type": "text/html"})
            self.wfile.write(b"<p/>")

    with listening(Page) as address, pytest.raises(PlanningFailed, match=r"sent no answer.*end with /v1"):
        enhanced(LlmClient(Service(address, KEY, "small", timeout=5.0)), "a fox")


def test_an_address_that_nobody_answers_at_is_told() -> None:
    client = LlmClient(Service("http://127.0.0.1:1/v1", KEY, "small", timeout=1.0))
    with pytest.raises(PlanningFailed, match="cannot be reached"):
        enhanced(client, "a fox")


def test_segments_are_told_while_the_model_still_answers() -> None:
    seen: list[tuple[int, bool]] = []
    with llm_server(Reply(json.dumps(LONG), hold=10_000)) as server:

        def tell(story: Storyboard) -> None:
            seen.append((len(story.segments), server.answered))
            if len(story.segments) == 4:
                server.released.set()

        LlmPlanner(service(server), LENGTHS).plan(Ask(TEXT), tell, lambda: False)
    assert [count for count, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert [whole for _, whole in seen[:4]] == [False] * 4


def test_it_can_be_stopped_while_it_answers() -> None:
    with llm_server(Reply(json.dumps(LONG))) as server, pytest.raises(Cancelled):
        LlmPlanner(service(server), LENGTHS).plan(Ask(TEXT), lambda _story: None, lambda: True)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"model": ""}, "no language model is configured"),
        ({"key": "", "url": "https://api.openai.com/v1"}, "there is no key"),
    ],
)
def test_a_service_that_is_not_configured_is_told(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        LlmClient(replace(Service("http://127.0.0.1:1/v1", KEY, "small"), **values))


def test_the_estimate_asks_nobody() -> None:
    with llm_server(Reply(GOOD)) as server:
        unknown = LlmPlanner(service(server), LENGTHS).estimate(Ask(TEXT, segments=4))
        known = LlmPlanner(service(server, price_in=2.0, price_out=10.0), LENGTHS).estimate(Ask(TEXT, seconds=30))
    assert server.requests == []
    assert (unknown.dollars, unknown.segments) == (None, 4)
    assert "unknown" in unknown.words
    assert known.segments == 10
    assert known.dollars == pytest.approx((known.tokens_in * 2 + known.tokens_out * 10) / 1e6)


def test_a_prompt_is_made_richer() -> None:
    with llm_server(Reply(json.dumps({"prompt": "a red `fox` in\x00snow"}))) as server:
        assert enhanced(LlmClient(service(server)), "a fox") == "a red 'fox' in snow"
