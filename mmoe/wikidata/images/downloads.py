"""Fetches images one after another, as their server asks for; each once, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Mapping

from tqdm import tqdm

from mmoe.errors import WikidataError
from mmoe.wikidata.api.ask import Api
from mmoe.wikidata.api.session import PoliteSession, RetryPolicy
from mmoe.wikidata.images.fetch import Failure, FetchedImage, fetch_image
from mmoe.wikidata.images.folder import Work
from mmoe.wikidata.images.infos import FileInfo, address_of

NO_FILE = "no such file on Commons"
IN_A_ROW = 3  # images given up one after another, with which the run ends

IMAGE_POLICY = RetryPolicy(max_concurrent=1, attempts=4)


def download(
    infos: Mapping[str, FileInfo | None],
    width: int,
    work: Work,
    api: Api,
) -> int:
    """Fetches what has neither arrived nor failed yet into the work folder.

    Args:
        infos: by name on Commons; None for what is not there.
        width: at most, in pixels.
        api: Commons' own, whose pace the server of images shares.
    Returns:
        Number of requests.
    Raises:
        WikidataError: if the server refuses us, or gives no image several times in a row.
    """
    rest = [name for name in infos if not work.arrived(name) and name not in work.failures]
    if not rest:
        return 0
    with (
        tqdm(total=len(rest), desc="images", unit="image") as bar,
        PoliteSession(api.settings.contact, IMAGE_POLICY, api.pacer, bar.write) as session,
    ):
        # Perhaps the network's fault and not the images': not written down before another answer comes.
        given_up: dict[str, Failure] = {}
        for name in rest:
            found = _image(session, infos[name], width)
            if isinstance(found, Failure) and found.gave_up is not None:
                given_up[name] = found
                if len(given_up) == IN_A_ROW:
                    raise WikidataError(found.gave_up)
            else:
                work.note(given_up)
                given_up = {}
                if isinstance(found, Failure):
                    work.note({name: found})
                else:
                    work.keep(name, found)
            bar.update()
        work.note(given_up)
        return sum(session.requests.values())


def _image(session: PoliteSession, info: FileInfo | None, width: int) -> FetchedImage | Failure:
    if info is None:
        return Failure(NO_FILE)
    address = address_of(info, width)
    if address is None:
        return Failure(f"no thumbnail of {info.mime}")
    sha1 = info.sha1 if address == info.url else None
    return fetch_image(session, address, sha1, IMAGE_POLICY.longest_wait)
