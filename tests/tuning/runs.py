"""A joint training run as a process: killed on the way, or one of several."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import torch

from mmoe.config.loss import LossParams
from mmoe.config.tune import TuneParams
from mmoe.encoders.tuned import Tuning
from mmoe.model.matcher import MatcherSpec
from mmoe.model.matchers.mimic import Mimic
from mmoe.training.trainer import Trainer
from mmoe.tuning.processes import Processes
from mmoe.tuning.run import joint_trainer

from tests.model.matchers import model_params
from tests.training.runs import die_before_step, train_params
from tests.tuning.conftest import live_data, tuning

TUNE = {"method": "prompts", "batch_size": 5, "max_epochs": 2, "lora_rank": 2}


def new_run(
    clip: Path, raw: Path, work: Path, processes: Processes | None = None, **changes: object
) -> tuple[Trainer, Tuning]:
    """MIMIC and a tiny CLIP, from the same start each time."""
    params = TuneParams.model_validate({**TUNE, **changes})
    tuned = tuning(clip, params.method)
    data = live_data(tuned, raw, 4, processes)
    torch.manual_seed(1)
    model = model_params(name="mimic", embed_dim=8)
    matcher = Mimic(MatcherSpec(data.widths, model, Mimic.SECTION()))
    train = train_params(group_size=3)
    trainer = joint_trainer(
        matcher, tuned, data, (train, params, LossParams()), work, checkpoint_every=1
    )
    return trainer, tuned


def state(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trainer.trained.state_dict().items()}


def main(clip: str, raw: str, work: str, method: str, step: str, out: str) -> None:
    torch.set_num_threads(1)
    processes = Processes.of_run()
    trainer, _ = new_run(Path(clip), Path(raw), Path(work), processes, method=method)
    if int(step):
        die_before_step(trainer, int(step), lambda: os.kill(os.getpid(), signal.SIGKILL))
    progress = trainer.run()
    if processes.rank == 0:
        torch.save({"state": state(trainer), "history": progress.history}, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
