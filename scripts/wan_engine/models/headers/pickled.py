"""Follows the pickle of a torch file without running it, to learn its tensors' names, shapes and number formats.

A pickle is a small program. This reads it step by step and knows only the few steps and the few names that torch.save
writes for tensors; anything else is refused by name. No object is made and nothing is imported, so no code can run.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


class NotPlainError(Exception):
    """The pickle holds something besides tensors; the message names it."""


@dataclass(frozen=True)
class Name:
    """Something the pickle asks to import, such as `torch FloatStorage`."""

    words: str


@dataclass(frozen=True)
class Storage:
    """Where numbers lie in the file. dtype: torch's word before `Storage`.  count: of numbers; of bytes if Untyped."""

    dtype: str
    key: str
    count: int


@dataclass(frozen=True)
class Pickled:
    """A tensor: a view of a storage. offset and stride count numbers.  dtype: torch's name, such as `bfloat16`."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(frozen=True)
class _Other:
    """A value that is of no use to us."""


_OTHER = _Other()
_MARK = object()
_DTYPES = {
    "Double": "float64", "Float": "float32", "Half": "float16", "BFloat16": "bfloat16",
    "Long": "int64", "Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8", "Bool": "bool",
    "Untyped": "",
}  # fmt: skip
_BUILDERS = ("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor_v3", "torch._utils _rebuild_parameter")
_HARMLESS = ("collections OrderedDict", "torch Size", "torch serialization._get_layout")


def follow(pickle: bytes) -> Any:
    """What the pickle stands for: dicts, lists, texts and numbers, with `Pickled` for tensors.

    Raises NotPlainError for anything besides tensors; for a damaged pickle ValueError, TypeError or IndexError.
    Takes time and memory in proportion to the pickle's length.
    """
    machine = _Machine()
    for operation, argument, _ in pickletools.genops(pickle):
        if operation.name == "STOP":
            return machine.stack[-1]
        step = _STEPS.get(operation.name)
        if step is None:
            raise NotPlainError(f"the pickle step {operation.name}")
        step(machine, argument)
    raise ValueError("the pickle does not end")


class _Machine:
    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def since_mark(self) -> list[Any]:
        """Take everything above the last mark, and the mark."""
        for place in range(len(self.stack) - 1, -1, -1):
            if self.stack[place] is _MARK:
                taken = self.stack[place + 1 :]
                del self.stack[place:]
                return taken
        raise ValueError("a mark is missing")

    def take(self, count: int) -> list[Any]:
        """Take the topmost `count` values, in the order they were put."""
        if count > len(self.stack):
            raise ValueError("the pickle takes more than it put")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken


def _put(machine: _Machine, value: Any) -> None:
    machine.stack.append(value)


def _put_text(machine: _Machine, value: str) -> None:
    machine.stack.append(value)


def _import(machine: _Machine, words: str) -> None:
    module, _, name = words.partition(" ")
    known = words in (*_BUILDERS, *_HARMLESS)
    storage = module in ("torch", "torch.storage") and name.removesuffix("Storage") in _DTYPES
    dtype = (
        module == "torch" and name.replace("_", "").isalnum() and name.startswith(("float", "bfloat", "int", "uint"))
    )
    if not (known or storage or dtype or words == "torch bool"):
        raise NotPlainError(words.replace(" ", "."))
    machine.stack.append(Name(words))


def _import_from_stack(machine: _Machine, _: None) -> None:
    module, name = machine.take(2)
    if not isinstance(module, str) or not isinstance(name, str):
        raise TypeError("an import without a name")
    _import(machine, f"{module} {name}")


def _storage(machine: _Machine, _: None) -> None:
    (entry,) = machine.take(1)
    if not isinstance(entry, tuple) or len(entry) != 5 or not isinstance(entry[1], Name):
        raise ValueError("a storage without its figures")
    _, kind, key, _, count = entry
    dtype = kind.words.split(" ")[1].removesuffix("Storage")
    if dtype not in _DTYPES or not isinstance(key, str) or type(count) is not int or count < 0:
        raise ValueError("a storage without its figures")
    machine.stack.append(Storage(dtype, key, count))


def _call(machine: _Machine, _: None) -> None:
    called, arguments = machine.take(2)
    if not isinstance(called, Name) or not isinstance(arguments, tuple):
        raise TypeError("a call of nothing")
    if called.words in _BUILDERS:
        machine.stack.append(_tensor(called.words, arguments))
    else:
        # An OrderedDict may be made of a list of pairs; torch itself makes empty ones and fills them.
        machine.stack.append({} if called.words == _HARMLESS[0] and not arguments else _OTHER)


def _tensor(builder: str, arguments: tuple[Any, ...]) -> Pickled:
    if builder.endswith("_parameter"):
        if not arguments or not isinstance(arguments[0], Pickled):
            raise ValueError("a parameter without its tensor")
        return arguments[0]
    storage, offset, shape, stride = arguments[:4]
    dtype = _DTYPES[storage.dtype] if isinstance(storage, Storage) else ""
    if builder.endswith("_v3") and len(arguments) > 6 and isinstance(arguments[6], Name):
        dtype = arguments[6].words.split(" ")[1]
    numbers = (offset, *shape, *stride) if isinstance(shape, tuple) and isinstance(stride, tuple) else (-1,)
    if not dtype or any(type(number) is not int or number < 0 for number in numbers) or len(shape) != len(stride):
        raise ValueError("a tensor without its figures")
    return Pickled(storage, dtype, offset, shape, stride)


def _set(machine: _Machine, pairs: list[Any]) -> None:
    target = machine.stack[-1]
    if len(pairs) % 2:
        raise ValueError("a key without a value")
    if isinstance(target, dict):
        target.update({key: value for key, value in zip(pairs[::2], pairs[1::2], strict=True) if isinstance(key, str)})


def _extend(machine: _Machine, values: list[Any]) -> None:
    if isinstance(machine.stack[-1], list):
        machine.stack[-1].extend(values)


def _make(kind: Callable[[list[Any]], Any], count: int | None) -> Callable[[_Machine, None], None]:
    def step(machine: _Machine, _: None) -> None:
        machine.stack.append(kind(machine.since_mark() if count is None else machine.take(count)))

    return step


def _dict_of(values: list[Any]) -> dict[str, Any]:
    return {key: value for key, value in zip(values[::2], values[1::2], strict=False) if isinstance(key, str)}


def _remember(machine: _Machine, place: int | None) -> None:
    machine.memo[len(machine.memo) if place is None else place] = machine.stack[-1]


def _recall(machine: _Machine, place: int) -> None:
    if place not in machine.memo:
        raise ValueError("nothing was remembered there")
    machine.stack.append(machine.memo[place])


def _drop(machine: _Machine, _: None) -> None:
    """Take a value away. BUILD gives an object attributes, such as a state dict's `_metadata`: of no use to us."""
    machine.take(1)


_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINSTRING")

_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(_VALUES, _put),
    **{name: lambda machine, _, value=value: _put(machine, value) for name, value in _CONSTANTS.items()},  # type: ignore[misc]
    **{name: lambda machine, _: None for name in ("PROTO", "FRAME")},
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), _remember),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), _recall),
    "MARK": lambda machine, _: machine.stack.append(_MARK),
    "POP": _drop,
    "EMPTY_DICT": lambda machine, _: machine.stack.append({}),
    "EMPTY_LIST": lambda machine, _: machine.stack.append([]),
    "EMPTY_TUPLE": lambda machine, _: machine.stack.append(()),
    "DICT": _make(_dict_of, None),
    "LIST": _make(list, None),
    "TUPLE": _make(tuple, None),
    **{f"TUPLE{count}": _make(tuple, count) for count in (1, 2, 3)},
    "SETITEM": lambda machine, _: _set(machine, machine.take(2)),
    "SETITEMS": lambda machine, _: _set(machine, machine.since_mark()),
    "APPEND": lambda machine, _: _extend(machine, machine.take(1)),
    "APPENDS": lambda machine, _: _extend(machine, machine.since_mark()),
    "GLOBAL": _import,
    "STACK_GLOBAL": _import_from_stack,
    "BINPERSID": _storage,
    "REDUCE": _call,
    "BUILD": _drop,
    "STOP": lambda machine, _: None,
}
