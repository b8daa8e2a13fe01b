"""Ways to spoil a file: its bytes, or what stands in it."""

from __future__ import annotations

import copy
import io
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DEEP = 5_000  # nested lists
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**30, 2**63, 1e308, float("nan"), float("-inf"), 0.5),
    *("", " ", "\0", "a\nb", "\u202e", "\ufeff", "e\u0301", "nil", "../../x", "/etc/passwd"),
    *("Q0", "Q" + "9" * 40, "x" * 100_000, "\ud800", "images.h5::a", "${HOME}", "=1+1"),
    *([], {}, [[]], [None], {"": None}),
)


@dataclass(frozen=True)
class Spoilt:
    """A spoilt content, and how it was spoilt.

    Attributes:
        is_other_form: whether some value was exchanged for another one in a file that is whole in itself, so
            that no checksum in it can tell.
    """

    content: bytes
    how: str
    is_other_form: bool = False


def spoilt(name: str, content: bytes, rng: Random) -> Spoilt:
    """A file's content, spoilt in one way of those that fit its kind."""
    own = _OF_KIND.get(PurePath(name).suffix.lower())
    if own is not None and rng.random() < 0.6:
        try:
            return own(content, rng)
        except (ValueError, OverflowError, LookupError, pa.ArrowException):
            pass  # nothing in it that could be exchanged
    return _bytes(content, rng)


def _bytes(content: bytes, rng: Random) -> Spoilt:
    how = rng.choice(sorted(_WAYS))
    place = rng.randrange(len(content) + 1)
    length = min(rng.choice((1, 2, 8, 100, 4096)), len(content) - place)
    return Spoilt(_WAYS[how](content, place, length, rng), f"{how} at byte {place}")


def _flipped(content: bytes, place: int, _: int, rng: Random) -> bytes:
    if not content:
        return b"\0"
    place = min(place, len(content) - 1)
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def _put(what: bytes) -> Callable[[bytes, int, int, Random], bytes]:
    return lambda content, place, _length, _rng: content[:place] + what + content[place:]


_WAYS: dict[str, Callable[[bytes, int, int, Random], bytes]] = {
    "a bit is flipped": _flipped,
    "cut": lambda content, place, _length, _rng: content[:place],
    "emptied": lambda *_: b"",
    "bytes are left out": lambda content, place, n, _: content[:place] + content[place + n :],
    "bytes stand twice": lambda c, place, n, _: c[: place + n] + c[place:],
    "a hole of zeros": lambda c, place, n, _: c[:place] + bytes(n) + c[place + n :],
    "noise": lambda c, place, n, rng: c[:place] + rng.randbytes(n) + c[place + n :],
    "more noise": lambda c, place, _, rng: c[:place] + rng.randbytes(9) + c[place:],
    "NUL": _put(b"\0"),
    "invalid UTF-8": _put(b"\xff\xfe"),
    "a surrogate": _put(b"\xed\xa0\x80"),
    "line breaks": _put(b"\r\n\x0b\x0c\xe2\x80\xa8"),
    "quotes": _put(b'"'),
    "brackets": _put(b"[" * DEEP),
    "a long number": _put(b"9" * 5_000),
    "more behind": lambda content, *_: content + b"more",
}


def _json(content: bytes, rng: Random) -> Spoilt:
    value, how = exchanged(json.loads(content), rng)
    return Spoilt(json.dumps(value, ensure_ascii=True).encode(), how, is_other_form=True)


def _jsonl(content: bytes, rng: Random) -> Spoilt:
    lines = content.split(b"\n")
    number = rng.randrange(len(lines))
    row = lines[number].rstrip(b",")
    value, how = exchanged(json.loads(row), rng)
    new = json.dumps(value).encode() + lines[number][len(row) :]
    lines[number : number + 1] = [new] * rng.choice((1, 1, 1, 2))
    return Spoilt(b"\n".join(lines), f"line {number + 1}: {how}", is_other_form=True)


def exchanged(value: Any, rng: Random) -> tuple[Any, str]:
    """JSON in which one value, key or item is another one, stands twice or is gone."""
    value = copy.deepcopy(value)
    places = list(_places(value, ()))
    if not places:
        return rng.choice(ODD), "another value in place of all"
    holder, key, path = rng.choice(places)
    way = rng.choice(("other", "other", "other", "gone", "moved"))
    where = "/".join(map(str, path))
    if way == "other":
        holder[key] = odd = copy.deepcopy(rng.choice(ODD))
        return value, f"{where} is {repr(odd)[:30]}"
    old = holder.pop(key)
    if way == "moved" and isinstance(holder, dict):
        holder[rng.choice(("", "x", "qid", f"{key} ", str(key).upper()))] = old
    elif way == "moved":
        holder.insert(rng.randrange(len(holder) + 1), old)
        holder.append(copy.deepcopy(old))
    return value, f"{where} is {way}"


def _places(value: Any, path: tuple[Any, ...]) -> Any:
    pairs: Any = ()
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = list(enumerate(value))
    for key, one in pairs:
        yield value, key, (*path, key)
        yield from _places(one, (*path, key))


def _yaml(content: bytes, rng: Random) -> Spoilt:
    """A line of `key: value` gets another value, stands twice, goes, or is indented otherwise."""
    lines = content.decode().splitlines()
    number = rng.choice([n for n, line in enumerate(lines) if ":" in line.partition("#")[0]])
    key = lines[number].partition(":")[0]
    odd = rng.choice(
        (
            *map(json.dumps, ODD),
            "*a",
            "&a [*a]",
            "!!python/object:os.system",
            ".nan",
            "1e",
            "yes",
            "0x",
        )
    )
    how = rng.choice(
        (f"{key}: {odd}", f"{lines[number]}\n{lines[number]}", "", f" {lines[number]}")
    )
    lines[number] = how
    return Spoilt("\n".join(lines).encode(), f"line {number + 1}: {how[:40]!r}", is_other_form=True)


def _parquet(content: bytes, rng: Random) -> Spoilt:
    table = pq.read_table(io.BytesIO(content))
    name = rng.choice(table.column_names)
    way = rng.choice(
        (
            "gone",
            "renamed",
            "null",
            "odd",
            "twice",
            "cut",
            "turned",
            "of another type",
            "no metadata",
        )
    )
    place = table.column_names.index(name)
    column = table.column(name)
    if way == "gone":
        table = table.drop_columns([name])
    elif way == "renamed":
        table = table.rename_columns([c if c != name else "x" for c in table.column_names])
    elif way in ("null", "odd"):
        table = _with_odd_cell(table, place, None if way == "null" else rng)
    elif way == "twice":
        table = pa.concat_tables([table, table])
    elif way == "cut":
        table = table.slice(rng.randrange(len(table) + 1))
    elif way == "turned":
        table = table.take(list(range(len(table)))[::-1])
    elif way == "of another type":
        table = table.set_column(place, name, column.cast(pa.string(), safe=False))
    else:
        table = table.replace_schema_metadata(None)
    out = io.BytesIO()
    pq.write_table(table, out)
    return Spoilt(out.getvalue(), f"column {name} is {way}", is_other_form=True)


def _with_odd_cell(table: pa.Table, place: int, rng: Random | None) -> pa.Table:
    field = table.schema.field(place)
    values = table.column(place).to_pylist()
    odd: Any = None
    if rng is not None and pa.types.is_floating(field.type):
        odd = rng.choice((float("nan"), float("inf"), 1e30, -1.0))
    elif rng is not None and pa.types.is_integer(field.type):
        odd = rng.choice((-1, 0, 2**31 - 1))
    elif rng is not None and pa.types.is_large_binary(field.type):
        odd = rng.choice((b"", b"\0", b"\xff" * len(values[0] or b"xx")))  # NaNs
    elif rng is not None and pa.types.is_string(field.type):
        odd = rng.choice(("", "x", "\0", "x" * 10_000))
    number = (rng or Random(len(values))).randrange(len(values))  # noqa: S311 - not a secret
    values[number] = odd
    array = pa.array(values, field.type)
    return table.set_column(place, field.with_nullable(True), array)


def _safetensors(content: bytes, rng: Random) -> Spoilt:
    (length,) = struct.unpack("<Q", content[:8])
    header, rest = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    if rng.random() < 0.5:
        start = 4 * rng.randrange(len(rest) // 4)
        rest[start : start + 4] = struct.pack("<f", rng.choice((float("nan"), float("inf"), 1e30)))
        how = f"another number at byte {start} of the tensors"
    else:
        header, how = exchanged(header, rng)
    text = json.dumps(header).encode()
    return Spoilt(struct.pack("<Q", len(text)) + text + bytes(rest), how, is_other_form=True)


_OF_KIND: dict[str, Callable[[bytes, Random], Spoilt]] = {
    ".json": _json,
    ".jsonl": _jsonl,
    ".yaml": _yaml,
    ".parquet": _parquet,
    ".safetensors": _safetensors,
}
