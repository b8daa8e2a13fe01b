"""Where a training stands, in files: what a run that was killed goes on from.

Two states lie in the work folder: `last`, and `best` of the epoch whose weights are the result. One that
can't be used is set aside under another name, and training goes on from the other one, or begins anew.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmoe.errors import CheckpointError, one_line
from mmoe.model.adamw import AdamW
from mmoe.tensor_files import read_tensors, write_tensors

WEIGHTS, OPTIMISER = "weights/", "optimiser/"
LAST, BEST, BROKEN = "last.safetensors", "best.safetensors", ".broken"


@dataclass
class Progress:
    """Where training stands; with the weights, all that a resumed run needs."""

    epoch: int = 0  # finished epochs
    step_in_epoch: int = 0
    step: int = 0
    loss_sums: dict[str, float] = field(default_factory=dict)
    best_mrr: float = float("-inf")
    best_epoch: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class States:
    """The states of one training, in its work folder.

    Attributes:
        trained: the matcher, and what is trained beside it.
        writes: whether this process does; of several, one.
    """

    work: Path
    trained: nn.Module
    optimiser: AdamW
    writes: bool = True

    def save(self, name: str, progress: Progress) -> None:
        """Writes the state of now."""
        if not self.writes:
            return
        weights = {WEIGHTS + key: value for key, value in self.trained.state_dict().items()}
        moments = {OPTIMISER + key: value for key, value in self.optimiser.state_dict().items()}
        write_tensors(self.work / name, weights | moments, vars(progress))

    def load_best(self) -> None:
        """Puts the best weights in place.

        Raises:
            CheckpointError: if they can't be used any more.
        """
        state = self._usable(BEST)
        if state is None:
            raise CheckpointError(
                f"{self.work}: the best weights are lost; run it again to train anew"
            )
        self.trained.load_state_dict(state.weights)

    def resume(self) -> Progress:
        """Puts the newest state that can be used in place; where there is none, all stays as it is."""
        names = [name for name in (LAST, BEST) if (self.work / name).exists()]
        found = {name: state for name in names if (state := self._usable(name)) is not None}
        if BEST not in found:  # nothing else holds weights that may be the result
            if names:
                print(f"{self.work}: holds no best weights; training begins anew", file=sys.stderr)
            return Progress()
        name, state = next(iter(found.items()))
        self.trained.load_state_dict(state.weights)
        self.optimiser.load_state_dict(state.moments)
        if len(found) < len(names):
            step = state.progress.step
            print(f"{self.work}: training goes on from {name}, step {step}", file=sys.stderr)
        return state.progress

    def _usable(self, name: str) -> _State | None:
        """A state; None if it is none of this training, which is then said, and it is set aside."""
        path = self.work / name
        try:
            about, tensors = read_tensors(path)
            state = _State(Progress(**about), _below(tensors, WEIGHTS), _below(tensors, OPTIMISER))
            for found, wanted in (
                (state.weights, self.trained.state_dict()),
                (state.moments, self.optimiser.state_dict()),
            ):
                _check(found, wanted)
        except FileNotFoundError:
            return None
        except (CheckpointError, TypeError, ValueError) as error:
            aside = path.with_name(name + BROKEN)
            path.replace(aside)
            print(f"{one_line(error)}; {path} is set aside as {aside.name}", file=sys.stderr)
            return None
        return state


@dataclass(frozen=True)
class _State:
    progress: Progress
    weights: dict[str, Tensor]
    moments: dict[str, Tensor]


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)
    }


def _check(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Raises ValueError unless all tensors are there, in their shapes, and finite."""
    if {n: t.shape for n, t in found.items()} != {n: t.shape for n, t in wanted.items()}:
        raise ValueError("holds the state of another training")
    for name, tensor in found.items():
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{name} is not finite")
