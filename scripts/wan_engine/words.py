"""Words for people: numbers with their nouns."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 clip`, `2 clips`. noun: an English one that takes an s."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
