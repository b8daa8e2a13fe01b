"""What a run keeps beside its tables until they are written: whoever comes after a kill goes on from there.

.kb-<dump>-<state>-<request>   the chosen items: drafts, and counts when all are there
.kb-<dump>-<state>-<kinds>     the kinds with their subclasses, whatever else is asked for
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from mmoe.files import content_key, sources_key
from mmoe.wikidata.index.stream import Part
from mmoe.wikidata.knowledge.request import Request

WORK = ".kb-"  # work folders begin so


class Work:
    """The work folders of a run.

    Attributes:
        chosen: of the items that are chosen.
        kinds: of the kinds with their subclasses; other requests of the same kinds have the same.
    """

    def __init__(self, folder: Path, files: Sequence[Part], request: Request) -> None:
        states = [(file.path, file.size, Path(file.path).stat().st_mtime_ns) for file in files]
        state = content_key(states, sources_key(Path(__file__).parents[1]))
        self._folder, self._with_subclasses = folder, request.choice.with_subclasses
        self._dump = f"{WORK}{content_key([file.path for file in files])}-"
        self._state = f"{self._dump}{state}-"
        kinds: Collection[str] = request.choice.kinds or ()
        self.chosen = folder / f"{self._state}{content_key('request', request.key_parts())}"
        self.kinds = folder / f"{self._state}{content_key('kinds', sorted(kinds))}"

    def forget_chosen(self) -> None:
        """Removes what is of no use to a request that chooses other items."""
        shutil.rmtree(self.chosen)

    def remove(self) -> None:
        """Removes the work of this run, and what nobody can go on with: the dump or the code is another now.

        Unfinished work for other requests stays.
        """
        own = [self.chosen, *([self.kinds] if self._with_subclasses else [])]
        for found in self._folder.glob(f"{self._dump}*"):
            if found in own or not found.name.startswith(self._state):
                shutil.rmtree(found)
