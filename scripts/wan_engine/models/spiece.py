"""Reads a SentencePiece model: its words with their scores. Neither sentencepiece nor protobuf is needed for that.

The fields are those of sentencepiece's `sentencepiece_model.proto`; the numbers are protobuf's wire format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_PIECES, _NORMALIZER = 1, 3
_PIECE, _SCORE = 1, 2
_CHARSMAP = 2
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5


@dataclass(frozen=True)
class Vocabulary:
    """The words of a SentencePiece model.

    words: each with its score, the natural logarithm of how often it occurs; a word's place is its number.
    charsmap: sentencepiece's table that makes characters uniform, as it stores it; empty for none.
    """

    words: list[tuple[str, float]]
    charsmap: bytes = b""


def read_spiece(data: bytes) -> Vocabulary:
    """The vocabulary of a SentencePiece model, byte for byte as in `spiece.model`. Raises ValueError if it is none."""
    words: list[tuple[str, float]] = []
    charsmap = b""
    for number, value in _fields(data):
        if number == _PIECES and isinstance(value, bytes):
            piece = dict(_fields(value))
            text, score = piece.get(_PIECE, b""), piece.get(_SCORE, 0.0)
            if not isinstance(text, bytes) or not isinstance(score, float):
                raise ValueError("a word is no text with a score")
            words.append((text.decode("utf-8"), score))
        elif number == _NORMALIZER and isinstance(value, bytes):
            found = dict(_fields(value)).get(_CHARSMAP, b"")
            charsmap = found if isinstance(found, bytes) else b""
    if not words:
        raise ValueError("it has no words")
    return Vocabulary(words, charsmap)


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int | float]]:
    """The fields of one message: number and value; the last of a number that is there twice counts."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        length = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(kind)
        if kind == _BYTES:
            length, at = _varint(data, at)
        if length is None or at + length > len(data):
            raise ValueError("it is cut off or no protobuf message")
        piece, at = data[at : at + length], at + length
        yield key >> 3, struct.unpack("<f", piece)[0] if kind == _FOUR_BYTES else piece


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte, at = data[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("it is cut off or no protobuf message")
