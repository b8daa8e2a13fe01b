"""Collects the images of items in a folder: what is there stays, what is missing is asked for once.

licences.jsonl says whose each image is and under which licence. In the work folder a file lies whole and
checked or not at all, under a hash of its name on Commons: its presence says that it need not be asked for
again.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from mmoe.errors import WikidataError
from mmoe.files import atomic_write, content_key, sha256_of
from mmoe.wikidata.api import ApiSettings
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.api.pace import CLOCK, Clock
from mmoe.wikidata.api.session import PoliteSession
from mmoe.wikidata.images.fetch import ENDINGS, IMAGE_POLICY, Failure, FetchedImage, fetch_image
from mmoe.wikidata.images.infos import SHOWN_BY_ITSELF, FileInfo, address_of, ask_for_infos
from mmoe.wikidata.work import Row, exclusive_folder, json_rows, write_json_rows

LICENCES, IMAGES = "licences.jsonl", "images"
LOCK, WORK = ".images.lock", ".images-"
NO_FILE = "no such file on Commons"
IN_A_ROW = 3  # images given up one after another, with which the run ends


def collect(
    names: Mapping[str, str], out: Path, width: int, commons: ApiSettings, clock: Clock = CLOCK
) -> tuple[dict[str, Row], dict[str, int]]:
    """Fetches the images of items, with authors and licences.

    An image that several items have is fetched once. A killed run goes on where it was.

    Args:
        names: qid -> name of the image's file on Commons.
        out: gets images/ and licences.jsonl; what it holds of other items stays.
        width: at most, in pixels; one that Commons serves.
        commons: how its API and its server of images are asked.
        clock: waits; tests put another in its place.
    Returns:
        The rows of licences.jsonl of the items that were asked for and have an image, by qid, and numbers of
        images, by what became of them.
    Raises:
        WikidataError: if Commons can't be asked or refuses us. What has arrived is kept.
    """
    with exclusive_folder(out, LOCK, wait=True):
        rows = _read_licences(out)
        there = {
            qid: row
            for qid, row in rows.items()
            if qid in names and _holds(out, row, names[qid], width)
        }
        missing = {qid: name for qid, name in names.items() if qid not in there}
        work = out / f"{WORK}{content_key(width)}"
        work.mkdir(exist_ok=True)
        with Api(commons, f"names of {len(set(missing.values())):,} files", clock) as api:
            infos = ask_for_infos(api, list(dict.fromkeys(missing.values())), width)
            files, failures, num_requests = _download(infos, width, work, api)
            num_requests += sum(api.requests.values())
        new = {
            qid: _placed(qid, name, info, files[name], out, width)
            for qid, name in missing.items()
            if name in files and (info := infos[name]) is not None
        }
        write_json_rows(out / LICENCES, (rows | new).values())
        counts = _counts(names, there, new, failures) | {"requests": num_requests}
        shutil.rmtree(work)
        return {qid: (there | new)[qid] for qid in names if qid in there | new}, counts


def _read_licences(out: Path) -> dict[str, Row]:
    """The rows of a folder by qid; none if it holds no table yet.

    Raises:
        WikidataError: if the table is not what this command writes.
    """
    file = out / LICENCES
    if not file.is_file():
        return {}
    rows: dict[str, Row] = {}
    for where, _, row in json_rows(file):
        if not isinstance(row.get("qid"), str):
            raise WikidataError(f"{where}: has no `qid`; move the file away")
        rows[row["qid"]] = row
    return rows


def _holds(out: Path, row: Row, name: str, width: int) -> bool:
    """Whether a row's image is this one of Commons in this width, and its file is as it was written."""
    if (row.get("file"), row.get("asked_width")) != (name, width):
        return False
    path = out / str(row.get("path"))
    return path.is_file() and sha256_of(path) == row.get("sha256")


def _placed(qid: str, name: str, info: FileInfo, file: Path, out: Path, width: int) -> Row:
    """Puts an image that has arrived into its place; returns the row that tells of it."""
    path = f"{IMAGES}/{qid}{file.suffix}"
    for stale in (out / IMAGES).glob(f"{qid}.*"):
        stale.unlink()
    with atomic_write(out / path) as temporary:
        shutil.copyfile(file, temporary)
    with Image.open(file) as image:
        size = image.size
    return {
        "qid": qid,
        "path": path,
        "file": name,
        "page": info.page,
        "source": address_of(info, width),
        **info.rights,
        "type": info.mime,
        "width": size[0],
        "height": size[1],
        "asked_width": width,
        "sha256": sha256_of(file),
    }


def _counts(
    names: Mapping[str, str],
    there: Mapping[str, Row],
    new: Mapping[str, Row],
    failures: Mapping[str, str],
) -> dict[str, int]:
    rows = {row["file"]: row for row in (*there.values(), *new.values())}
    fetched = {row["file"] for row in new.values()}
    failed = Counter(failures.values())
    shown = Counter(row["type"] for row in rows.values() if row["type"] not in SHOWN_BY_ITSELF)
    return {
        "images": len(set(names.values())),
        "there already": len(rows.keys() - fetched),
        "fetched": len(fetched),
        **{f"failed: {reason}": number for reason, number in sorted(failed.items())},
        **{f"thumbnails of {kind}": number for kind, number in sorted(shown.items())},
        "without a licence": sum(row["licence"] is None for row in rows.values()),
        "without an author": sum(row["author"] is None for row in rows.values()),
    }


def _download(
    infos: Mapping[str, FileInfo | None], width: int, work: Path, api: Api
) -> tuple[dict[str, Path], dict[str, str], int]:
    """Fetches what has not arrived yet into the work folder.

    Args:
        api: Commons' own, whose pace the server of images shares.
    Returns:
        Files of the images, and why there is none, by their names on Commons; number of requests.
    Raises:
        WikidataError: if the server refuses us, or gives no image several times in a row.
    """
    arrived = {file.stem: file for file in work.iterdir() if file.suffix in ENDINGS.values()}
    files = {name: arrived[key] for name in infos if (key := content_key(name)) in arrived}
    failures: dict[str, str] = {}
    rest = [name for name in infos if name not in files]
    if not rest:
        return files, failures, 0
    with (
        tqdm(total=len(rest), desc="images", unit="image") as bar,
        PoliteSession(api.settings.contact, IMAGE_POLICY, api.pacer, bar.write) as session,
    ):
        given_up = 0  # in a row: perhaps the network's fault and not the images'
        for name in rest:
            found = _image(session, infos[name], width)
            if isinstance(found, Failure):
                failures[name] = found.reason
                given_up = given_up + 1 if found.gave_up is not None else 0
                if given_up == IN_A_ROW:
                    raise WikidataError(found.gave_up)
            else:
                given_up = 0
                files[name] = work / f"{content_key(name)}{found.ending}"
                with atomic_write(files[name]) as temporary:
                    temporary.write_bytes(found.data)
            bar.update()
        return files, failures, sum(session.requests.values())


def _image(session: PoliteSession, info: FileInfo | None, width: int) -> FetchedImage | Failure:
    if info is None:
        return Failure(NO_FILE)
    address = address_of(info, width)
    if address is None:
        return Failure(f"no thumbnail of {info.mime}")
    sha1 = info.sha1 if address == info.url else None
    return fetch_image(session, address, sha1)
