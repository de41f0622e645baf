"""What a service that speaks OpenAI's protocol says of a request it does not fulfil."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import APIError


def own_words(error: APIError) -> str:
    """The `message` of its answer; the whole error in words where it has none."""
    told = error.body.get("message") if isinstance(error.body, dict) else None
    return str(told or error.message)
