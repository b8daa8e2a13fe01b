"""Requests as queries: JSON, or a form with a file."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import Request
from PIL import Image
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from mmoe.errors import LinkingError
from mmoe.images import JPEG_SIDE, ImageError, decode_image, opened_image, smaller
from mmoe.linker import Query
from mmoe.server.schemas import MentionIn
from mmoe.server.settings import ServerSettings

MOST_ERRORS = 5  # in an answer
MOST_KEYS = 20  # of a body; what has more is none of ours
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO")
_DECODING = asyncio.Semaphore(2)  # images that are decoded at once, each of up to 100 MB
FORM = "multipart/form-data"
JSON = "application/json"
Model = TypeVar("Model", bound=BaseModel)


async def read_request(
    request: Request, model: type[Model], max_mentions: int
) -> tuple[Model, bytes | None]:
    """What a request asks, and the image that a form may bring as a file.

    Raises:
        HTTPException: 400, 415 or 422, with the reason.
    """
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind == JSON:
        try:
            values = json.loads(await request.body())
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, f"the body is not JSON: {error}") from None
        return await _checked(model, values, max_mentions), None
    if kind != FORM:
        raise HTTPException(415, f"send {JSON} or {FORM}, not {_printable(kind)}")
    async with request.form(max_files=1, max_fields=10) as form:
        fields: dict[str, Any] = {}
        image = None
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if name != "image":
                    raise HTTPException(422, f"{_printable(name)}: a file is sent as `image`")
                image = await value.read()
            elif name in fields:
                raise HTTPException(422, f"{_printable(name)}: stands twice")
            else:
                fields[name] = _field(name, value)
    return await _checked(model, fields, max_mentions), image or None


async def _checked(model: type[Model], values: Any, max_mentions: int) -> Model:
    """As `_valid`, with what would make it slow looked at before."""
    if isinstance(values, dict):
        mentions = values.get("mentions")
        if isinstance(mentions, list) and len(mentions) > max_mentions:
            raise HTTPException(413, f"send up to {max_mentions} mentions")
        if len(values) > MOST_KEYS:
            raise HTTPException(422, f"the body has {len(values):,} keys; send those of the schema")
    return await run_in_threadpool(_valid, model, values)


def _field(name: str, value: str) -> Any:
    """A form's fields are texts; numbers and truth values are read."""
    if name == "top_k" and re.fullmatch(r"-?[0-9]{1,9}", value.strip()):
        return int(value)
    if name == "explain" and value in ("true", "false"):
        return value == "true"
    return value


def _valid(model: type[Model], values: Any) -> Model:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise HTTPException(422, said_of(found)) from None


def said_of(errors: Sequence[Any]) -> str:
    """The first of some validation errors, on one line."""
    lines = [
        f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}"
        for each in errors[:MOST_ERRORS]
    ]
    return _printable("; ".join(lines))


async def query_of(mention: MentionIn, file: bytes | None, settings: ServerSettings) -> Query:
    """The mention, its image decoded.

    Raises:
        HTTPException: 413 or 422, with the reason.
    """
    check_length("surface_form", mention.surface_form, settings)
    check_length("context", mention.context, settings)
    check_length("description", mention.description or "", settings)
    image = await image_of(mention.image, file, settings)
    query = Query(mention.surface_form, mention.context, image, mention.description)
    try:
        query.check()
        query.check_in_context()
    except LinkingError as error:
        raise HTTPException(422, _printable(str(error))) from None
    return query


async def image_of(encoded: str | None, file: bytes | None, settings: ServerSettings) -> Any:
    """The image of a request, decoded; None without one."""
    if encoded is not None:
        if file is not None:
            raise HTTPException(422, "image: send a file or a text, not both")
        try:
            file = base64.b64decode(encoded.encode("ascii", "strict"), validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise HTTPException(
                422, "image: not Base64; send the bytes of an image in it"
            ) from None
    if file is None:
        return None
    try:
        async with _DECODING:
            return await run_in_threadpool(_decoded, file, settings)
    except ImageError as error:
        raise HTTPException(422, _printable(f"image: {error}; send another, or none")) from None


def _decoded(content: bytes, settings: ServerSettings) -> Image.Image:
    """An image no larger than encoders make use of: many may wait."""
    with opened_image(content, settings.max_pixels) as image:
        if image.format not in FORMATS:
            raise ImageError(f"{image.format} is not read here; send {', '.join(FORMATS)}")
    return smaller(decode_image(content, settings.max_pixels), JPEG_SIDE)


def check_length(name: str, text: str, settings: ServerSettings) -> None:
    """Raises HTTPException 413 if a text is too long."""
    if len(text) > settings.max_text:
        raise HTTPException(
            413,
            f"{name} has {len(text):,} characters, more than {settings.max_text:,}; send a part",
        )


def _printable(text: str) -> str:
    """Without halves of surrogate pairs, which no answer can hold."""
    return text.encode("utf-8", "backslashreplace").decode()
