"""Asks an OpenAI-compatible service for an answer in a form, streamed; every way in which that fails has its words."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, cast

from wan_engine.errors import InputError, Problem, WanError
from wan_engine.render.events import CancelCheck, stopped
from wan_engine.storyboard.llm.words import Messages
from wan_engine.storyboard.openai_errors import own_words
from wan_engine.storyboard.planner import PlanningFailed
from wan_engine.storyboard.services import Service, how_to_set

if TYPE_CHECKING:
    from instructor import Instructor
    from openai import APIStatusError, OpenAI
    from pydantic import BaseModel

    Answer = TypeVar("Answer", bound=BaseModel)

log = logging.getLogger(__name__)

VALIDATION_RETRIES = 2
"""Times that a model is told what is wrong with its answer and asked again."""
CONNECTION_RETRIES = 2
"""Times that a request is sent again after a time-out, a broken connection, a busy or failing service."""

_NO_KEY = "none"
"""Servers on this machine ask for no key, but the client wants one."""
_LONGEST_REASON = 300
_LAST_CHUNKS = 8
"""More than stand between an answer's last word and what it took."""
_MOST_BRACES = 50
"""More than models put into the words before an answer in JSON."""


Seen = Callable[[dict[str, Any]], None]
"""Takes an answer as far as it has come, as plain values; again whenever a part of it is whole."""


@dataclass
class Tokens:
    """What a service has counted so far, of all its answers. told: whether it counts at all."""

    sent: int = 0
    received: int = 0
    told: bool = False

    def add(self, usage: Any) -> None:
        """Add an answer's `usage`; one that lacks a number, as some services send, counts as none."""
        sent, received = (getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens"))
        if isinstance(sent, int) and isinstance(received, int):
            self.sent += sent
            self.received += received
            self.told = True


@dataclass
class _Watch:
    """Looks at an answer's stream as it passes, for instructor hands it on only when it is whole.

    finish: the service's word for why it ended.  refusal: what it said in place of an answer.  text: all that came.
    """

    seen: Seen
    cancelled: CancelCheck
    tokens: Tokens
    finish: str = ""
    refusal: str = ""
    text: str = ""
    _rest: Iterator[Any] = field(default_factory=lambda: iter(()))
    _usage: Any = None

    def over(self, stream: Any) -> Iterator[Any]:
        """The stream's chunks. Raises Cancelled."""
        self.count()
        self.finish, self.refusal, self.text = "", "", ""
        self._rest = iter(stream)
        for chunk in self._rest:
            if self.cancelled():
                raise stopped()
            self._usage = chunk.usage or self._usage  # some services count on with each chunk
            for choice in chunk.choices or ():  # some leave it out where they tell the usage
                self.finish = choice.finish_reason or self.finish
                self.refusal += getattr(choice.delta, "refusal", None) or ""
                piece = _words(choice.delta)
                self.text += piece
                if "}" in piece:
                    self._tell(self.text)
            yield chunk

    def count(self) -> None:
        """Add what the latest answer took: it stands behind its end, which instructor reads only of good ones."""
        import httpx2
        import openai

        try:
            for chunk in () if self.cancelled() else islice(self._rest, _LAST_CHUNKS):
                self._usage = chunk.usage or self._usage
        except (openai.APIError, httpx2.HTTPError) as error:
            log.info("what the answer took is not known: %s", type(error).__name__)
        self.tokens.add(self._usage)
        self._rest, self._usage = iter(()), None

    def _tell(self, text: str) -> None:
        import jiter

        start = text.find("{")
        if start < 0:
            return
        try:
            values = jiter.from_json(text[start:].encode(), partial_mode=True)
        except ValueError:
            return  # not JSON: instructor tells the model so when it is whole
        if isinstance(values, dict):
            self.seen(values)


class LlmClient:
    """One service, ready to be asked. Nothing of its key is in any message. tokens: what its answers took so far."""

    def __init__(self, service: Service) -> None:
        check_service(service)
        self._service = service
        self.tokens = Tokens()

    def stream(self, form: type[Answer], messages: Messages, seen: Seen, cancelled: CancelCheck) -> Answer:
        """The whole answer, checked. Raises Cancelled, and PlanningFailed for every other end."""
        watch = _Watch(seen, cancelled, self.tokens)
        with self._openai() as openai:
            try:
                asked = self._instructor(openai, watch).create_partial(
                    form, cast(Any, messages), VALIDATION_RETRIES, **self._options()
                )
                answers = list(asked)
            except Exception as error:
                raise self._failure(error, watch) from error
            finally:
                watch.count()
        if watch.finish == "length":
            raise _cut_off()
        if watch.refusal or watch.finish == "content_filter":
            raise _refused(watch.refusal)
        if not answers:
            remedy = "Check url (most end with /v1), model and mode of planner, or try again"
            raise PlanningFailed("the planner's service sent no answer", remedy)
        return _whole(form, watch.text)

    def ask(self, form: type[Answer], messages: Messages) -> Answer:
        """The whole answer at once. Raises PlanningFailed."""
        return self.stream(form, messages, lambda _values: None, lambda: False)

    def _options(self) -> dict[str, Any]:
        temperature = self._service.temperature
        return {"model": self._service.model, **({} if temperature is None else {"temperature": temperature})}

    def _openai(self) -> OpenAI:
        from openai import OpenAI

        # Told below in our own words; theirs would hold prompts.
        logging.getLogger("instructor").setLevel(logging.CRITICAL)
        service = self._service
        return OpenAI(
            base_url=service.url,
            api_key=service.key or _NO_KEY,
            organization="",
            project="",
            timeout=service.timeout,
            max_retries=CONNECTION_RETRIES,
        )

    def _instructor(self, openai: OpenAI, watch: _Watch) -> Instructor:
        """instructor over requests whose streams are watched: it makes the tool or schema, checks and asks again."""
        import instructor

        def create(*values: Any, **named: Any) -> Any:
            return watch.over(_streamed(openai, *values, **named))

        mode = instructor.Mode[self._service.mode.upper()]
        return instructor.Instructor(client=None, create=instructor.patch(create=create, mode=mode), mode=mode)

    def _failure(self, error: Exception, watch: _Watch) -> Exception:
        """What went wrong, for users; an error of ours that came through is itself."""
        import httpx2
        import openai
        from pydantic import ValidationError

        causes = list(_causes(error))
        ours = next((each for each in causes if isinstance(each, WanError)), None)
        if ours is not None:
            return ours
        if watch.finish == "length":
            return _cut_off()
        if watch.refusal or watch.finish == "content_filter":
            return _refused(watch.refusal)
        for each in causes:
            if isinstance(each, openai.APIStatusError):
                return self._status_failure(each)
            if isinstance(each, openai.APITimeoutError | httpx2.TimeoutException):
                words = f"the planner's service said nothing for {self._service.timeout:g} s"
                return PlanningFailed(words, "Try again later, or set a longer timeout for planner")
            if isinstance(each, openai.APIConnectionError | httpx2.HTTPError):
                words = f"the planner's service at {self._service.url} cannot be reached, or broke off"
                return PlanningFailed(words, "Check its address and that it runs")
            if isinstance(each, openai.APIError):
                words = f"the planner's service ended its answer with an error: {self._scrubbed(own_words(each))}"
                return PlanningFailed(words, "Try again later, or take another model")
        if any(isinstance(each, ValidationError) for each in causes) or _is_retry(error):
            reason = self._scrubbed(str(next((e for e in causes if isinstance(e, ValidationError)), error)))
            remedy = "Try again, take another model, or another mode for planner (json_schema, json, md_json)"
            return PlanningFailed(f"the model's answers were not in the form of a storyboard: {reason}", remedy)
        return error

    def _status_failure(self, error: APIStatusError) -> PlanningFailed:
        status, reason = error.status_code, self._scrubbed(own_words(error))
        if status in (401, 403):
            return PlanningFailed("the planner's service refuses the key", how_to_set("planner", "key"))
        if status == 404:
            words = f"the planner's service has no model {self._service.model}, or its address is another"
            return PlanningFailed(words, how_to_set("planner", "model"))
        if status == 429:
            words = f"the planner's service is busy, or its quota is used up: {reason}"
            return PlanningFailed(words, "Try again later")
        remedy = "Try again later" if status >= 500 else "Check model, mode and temperature of planner"
        return PlanningFailed(f"the planner's service answered with status {status}: {reason}", remedy)

    def _scrubbed(self, text: str) -> str:
        flat = " ".join(text.split())
        if self._service.key:
            flat = flat.replace(self._service.key, "(key)")
        return flat if len(flat) <= _LONGEST_REASON else flat[: _LONGEST_REASON - 1] + "…"


def check_service(service: Service) -> None:
    """Raise InputError unless the planner's service is configured."""
    if not service.model:
        problem = Problem("no language model is configured", how_to_set("planner", "model"), field="planner")
        raise InputError(problem)
    if not service.key and service.url.startswith("https://api.openai.com/"):
        raise InputError(Problem("there is no key for the planner's service", how_to_set("planner", "key"), "planner"))


def _streamed(openai: OpenAI, *values: Any, **named: Any) -> Any:
    """A streamed answer that ends with what it took; without that from a service that refuses to be asked for it."""
    from openai import BadRequestError, UnprocessableEntityError

    try:
        return openai.chat.completions.create(*values, **named, stream_options={"include_usage": True})
    except (BadRequestError, UnprocessableEntityError) as error:
        if "stream_options" not in error.message:
            raise
        return openai.chat.completions.create(*values, **named)


def _words(delta: Any) -> str:
    """What a chunk adds to the answer, in the text or in a tool's arguments."""
    calls = getattr(delta, "tool_calls", None) or ()
    arguments = "".join(call.function.arguments or "" for call in calls if call.function is not None)
    return arguments + (getattr(delta, "content", None) or "")


def _whole(form: type[Answer], text: str) -> Answer:
    """The answer in a text, in which words may stand around it. Raises PlanningFailed when not all of it is there.

    What instructor gives of a stream that just ends is an answer with holes.
    """
    decoder, start = json.JSONDecoder(strict=False), -1
    for _ in range(_MOST_BRACES):
        start = text.find("{", start + 1)
        if start < 0:
            break
        with suppress(ValueError, RecursionError):  # it begins at a later brace, or is cut off
            return form.model_validate(decoder.raw_decode(text, start)[0])
    remedy = "Try again; if it ends early each time, ask for fewer segments, or take another model"
    raise PlanningFailed("the answer was cut off: it ends in the middle", remedy)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, the outermost first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_retry(error: Exception) -> bool:
    from instructor.core.exceptions import InstructorError

    return isinstance(error, InstructorError)


def _cut_off() -> PlanningFailed:
    remedy = "Ask for fewer segments, plan the text in parts, or take a model with longer answers"
    return PlanningFailed("the answer was cut off: it reached the model's longest answer", remedy)


def _refused(words: str) -> PlanningFailed:
    said = " ".join(words.split())[:_LONGEST_REASON]
    return PlanningFailed(f"the model refused{f': {said}' if said else ' to answer'}", "Say it in other words")
