"""An OpenAI-compatible server on loopback: chat completions with tool calls or JSON, streamed or whole, and its errors.

It speaks the wire protocol of `POST /v1/chat/completions`; what it answers is scripted, one `Reply` a request.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from loopback import QuietHandler, listening

_LONGEST_HOLD = 120
_PIECE = 24
"""Characters of an answer in one streamed event."""


@dataclass(frozen=True)
class Reply:
    """One scripted answer.

    text: what the model says.  finish: why it stops.  refusal: what it says in place of an answer.  status, headers:
    of an error, with `text` as its message.  hang: seconds of silence before it.  cut: bytes of the streamed body after
    which the connection breaks.  hold: bytes of it after which nothing more is sent until the server's `released` is
    set.  usage: in place of the tokens; in a stream its event then has no choices at all.  fault: message
    of an error that comes in place of the stream's end.
    """

    text: str = ""
    finish: str = "stop"
    refusal: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: float = 0.0
    cut: int = 0
    hold: int = 0
    usage: dict[str, Any] | None = None
    fault: str = ""


@dataclass
class LlmServer:
    """The running server. requests: bodies that came, with their `authorization`.  answered: the latest is sent.

    released: set by the test to have held answers go on.
    """

    address: str
    replies: list[Reply] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    answered: bool = False
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def llm_server(*replies: Reply) -> Iterator[LlmServer]:
    """The server; the last reply is given again when there are no more."""
    state = LlmServer("", list(replies))
    with listening(_handler(state)) as address:
        state.address = f"{address}/v1"
        yield state


def _handler(state: LlmServer) -> type[QuietHandler]:
    class Handler(QuietHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.requests.append({**body, "authorization": self.headers.get("authorization"), "path": self.path})
            reply = state.replies.pop(0) if len(state.replies) > 1 else state.replies[0]
            time.sleep(reply.hang)
            try:
                self._answer(reply, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def _answer(self, reply: Reply, body: dict[str, Any]) -> None:
            if reply.status != 200:
                error = {"error": {"message": reply.text, "type": "error", "code": None, "param": None}}
                self._send(json.dumps(error).encode(), "application/json", reply)
            elif body.get("stream"):
                data = "".join(f"data: {json.dumps(each)}\n\n" for each in _chunks(reply, body)) + "data: [DONE]\n\n"
                self._send(data.encode(), "text/event-stream", reply)
            else:
                self._send(json.dumps(_whole(reply, body)).encode(), "application/json", reply)

        def _send(self, data: bytes, kind: str, reply: Reply) -> None:
            self.send_head(reply.status, len(data), {"content-type": kind, **reply.headers})
            state.answered = False
            sent = 0
            for piece in re.split(b"(?<=\n\n)", data[: reply.cut] if reply.cut else data):
                if reply.hold and sent >= reply.hold:
                    state.released.wait(_LONGEST_HOLD)
                self.wfile.write(piece)
                sent += len(piece)
            state.answered = True
            if reply.cut:
                self.close_connection = True

    return Handler


def _message(reply: Reply, body: dict[str, Any], text: str, first: bool) -> dict[str, Any]:
    """A message, or a piece of one: as a tool call where the request has tools."""
    if reply.refusal:
        return {"role": "assistant", "content": None, "refusal": reply.refusal}
    if not body.get("tools"):
        return {"role": "assistant", "content": text}
    name = body["tools"][0]["function"]["name"]
    named = {"id": "call_1", "type": "function"} if first else {}
    function = {"arguments": text, **({"name": name} if first else {})}
    return {"role": "assistant", "content": None, "tool_calls": [{"index": 0, **named, "function": function}]}


def _chunks(reply: Reply, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    shared = {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    for start in range(0, max(1, len(reply.text)), _PIECE):
        delta = _message(reply, body, reply.text[start : start + _PIECE], start == 0)
        yield {**shared, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    if reply.fault:
        yield {"error": {"message": reply.fault, "code": 502}}
        return
    yield {**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": _finish(reply, body)}]}
    if (body.get("stream_options") or {}).get("include_usage"):
        choices: dict[str, Any] = {"choices": []} if reply.usage is None else {}
        yield {**shared, **choices, "usage": _usage(reply)}


def _whole(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    message = _message(reply, body, reply.text, True)
    choice = {"index": 0, "message": message, "finish_reason": _finish(reply, body)}
    shared = {"id": "chat-1", "object": "chat.completion", "created": 1, "model": body["model"]}
    return {**shared, "choices": [choice], "usage": _usage(reply)}


def _finish(reply: Reply, body: dict[str, Any]) -> str:
    return "tool_calls" if body.get("tools") and reply.finish == "stop" and not reply.refusal else reply.finish


def _usage(reply: Reply) -> dict[str, Any]:
    if reply.usage is not None:
        return reply.usage
    sent, received = 100, len(reply.text) // 4
    return {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}
