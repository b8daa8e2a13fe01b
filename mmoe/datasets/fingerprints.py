"""Every image's content: bytes, size, and a perceptual hash; in parallel, and resumable."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import imagehash
from PIL import Image
from tqdm import tqdm

from mmoe.files import content_key
from mmoe.images import (
    ImageError,
    as_shown,
    image_file,
    opened_image,
    read_image,
    reading_problem,
)
from mmoe.records import ImageFile

AT_ONCE = 256  # images between two writes of the journal
DRAFT = (64, 64)  # JPEG decodes at the smallest scale that is at least this


def fingerprint_images(
    root: Path, names: set[str], max_pixels: int, journal: Path | None = None
) -> list[ImageFile]:
    """Decodes and hashes images by as many threads as there are cores, sorted by name.

    An image that can't be read or decoded is reported in its row; the others go on.

    Args:
        root: the data set's raw folder, to which the names are relative.
        max_pixels: an image of more is not decoded, and reported.
        journal: JSON lines of what is done already; a killed run goes on from it. An image whose file
            has changed in size or time of change since is hashed again. None: nothing is kept.
    """
    journal = Path(os.devnull) if journal is None else journal
    kept = _read_journal(root, journal, max_pixels)
    done = {row.image: row for row in kept if row.image in names}
    left = sorted(names - done.keys())
    journal.parent.mkdir(parents=True, exist_ok=True)
    progress = tqdm(total=len(names), initial=len(done), desc="images", unit="image", disable=None)
    workers = ThreadPoolExecutor(os.cpu_count())
    with (
        progress,
        workers,
        warnings.catch_warnings(),  # the threads set filters of their own, and not in order
        journal.open("a", encoding="utf-8") as stream,
    ):
        for start in range(0, len(left), AT_ONCE):
            chunk = left[start : start + AT_ONCE]
            rows = list(workers.map(lambda name: _fingerprint(root, name, max_pixels), chunk))
            done |= {row.image: row for row in rows}
            stream.writelines(_line(row, _stamp(root, row.image, max_pixels)) for row in rows)
            stream.flush()
            progress.update(len(rows))
    return [done[name] for name in sorted(names)]


def _fingerprint(root: Path, name: str, max_pixels: int) -> ImageFile:
    try:
        content = read_image(root, name)
    except OSError as error:
        return ImageFile(name, None, None, None, None, reading_problem(root, error))
    digest = hashlib.sha256(content).hexdigest()
    try:
        with opened_image(content, max_pixels) as image:
            width, height = image.size
            image.draft("L", DRAFT)
            looks = _perceptual_hash(image)
    except ImageError as error:
        return ImageFile(name, digest, None, None, None, str(error))
    return ImageFile(name, digest, looks, width, height, None)


def _perceptual_hash(image: Image.Image) -> str | None:
    """The hash; None for a single colour, whose frequencies are nothing but rounding."""
    grey = as_shown(image).convert("L")
    low, high = grey.getextrema()
    return None if low == high else str(imagehash.phash(grey))


def _read_journal(root: Path, journal: Path, max_pixels: int) -> Iterator[ImageFile]:
    """The whole lines of the journal whose images have not changed since."""
    if not journal.is_file():
        return
    for line in journal.read_bytes().splitlines():
        try:
            values = json.loads(line)
            key, row = values.pop("key"), ImageFile(**values)
        except (ValueError, LookupError, TypeError, AttributeError):
            continue  # the line that a kill cut off
        stamp = _stamp(root, row.image, max_pixels)
        if stamp is not None and key == content_key(stamp, values):
            yield row


def _line(row: ImageFile, stamp: str | None) -> str:
    """A row in the journal, with a hash of it and of what it was made of."""
    values = asdict(row)
    return json.dumps({"key": content_key(stamp, values), **values}) + "\n"


def _stamp(root: Path, name: str, max_pixels: int) -> str | None:
    """The limit, with size and time of change of the image's file; None if that can't be looked at."""
    try:
        status = image_file(root, name).stat()
    except OSError:
        return None
    return f"{max_pixels}-{status.st_size}-{status.st_mtime_ns}"
