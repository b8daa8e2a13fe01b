"""Training curves through dvclive."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

from dvclive.live import Live

from mmoe.training.trainer import EpochRecord


class LiveCurves:
    """A training listener that writes one TSV a curve, for `dvc plots` and editors that watch them."""

    def __init__(self, folder: Path) -> None:
        # dvc.yaml and params.yaml are ours: dvclive is not to write or track them.
        self.live: Any = Live(str(folder), dvcyaml=None, save_dvc_exp=False, monitor_system=False)

    def __enter__(self) -> LiveCurves:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.live.end()

    def on_epoch(self, record: EpochRecord) -> None:
        """Writes the epoch's curves; their step is the epoch."""
        self.live.step = record.epoch
        self.live.log_metric("held_out_mrr", record.held_out_mrr)
        self.live.log_metric("learning_rate", record.learning_rate)
        for term, value in record.loss.items():
            self.live.log_metric(f"loss/{term}", value)
        for unit, shares in record.expert_load.items():
            for expert, share in enumerate(shares):
                self.live.log_metric(f"expert_load/{unit}/{expert}", share)
        self.live.make_summary()
