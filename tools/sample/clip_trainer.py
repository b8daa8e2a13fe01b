"""One training step of the small CLIP, and all the state that a resumed run needs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from mmoe.files import atomic_write
from tools.sample.clip import ClipSizes, new_clip
from tools.sample.clip_loss import contrastive_loss
from tools.sample.clip_patches import PatchEmbeddings
from tools.sample.train_data import Batch

MOST_TOKENS = 50
MOST_SCALE = math.log(100.0)  # as in CLIP
NAME_SCALE, BAGS_SCALE = 10.0, 15.0


@dataclass(frozen=True)
class TrainPlan:
    """Everything that the trained weights follow from.

    Attributes:
        precision: of the products, `float32` or `bfloat16`; weights are kept in float32.
        warm_up: share of the steps over which the learning rate rises.
        name_weight: of the loss between two texts that share a name; without it a text's vector
            would forget the name.
        bags_weight: of the loss between two texts that share words; without it the text tower
            would know what is drawn and be blind to every other word.
    """

    steps: int
    batch: int = 128
    seed: int = 7
    threads: int = 2
    precision: str = "bfloat16"
    learning_rate: float = 1e-3
    warm_up: float = 0.05
    weight_decay: float = 0.05
    name_weight: float = 0.25
    bags_weight: float = 0.5
    window: int = 2048
    reuse: int = 4
    sizes: ClipSizes = field(default_factory=ClipSizes)

    def rate(self, step: int) -> float:
        """The learning rate of a step: a line up, then a half cosine down."""
        rising = max(1, round(self.warm_up * self.steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        done = (step - rising) / max(1, self.steps - rising)
        return self.learning_rate * (1 + math.cos(math.pi * done)) / 2


def cpu_precision(information: Path = Path("/proc/cpuinfo")) -> str:
    """`bfloat16` where the processor has instructions for it, else `float32`."""
    flags = information.read_text("utf-8") if information.exists() else ""
    return "bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"


class ClipTrainer:
    """Model, optimiser and what they have seen so far."""

    def __init__(self, plan: TrainPlan, tokenizer: Any) -> None:
        self.plan, self.tokenizer = plan, tokenizer
        # The default implementation of attention is half as fast in bfloat16 on a CPU.
        self.model = new_clip(tokenizer, plan.sizes, plan.seed, attention="eager").train()
        tower, dtype = self.model.vision_model, getattr(torch, plan.precision)
        tower.embeddings = PatchEmbeddings(tower.embeddings, dtype)
        self.optimiser = torch.optim.AdamW(self._groups(), lr=plan.learning_rate, betas=(0.9, 0.98))
        self.done, self.seconds = 0, 0.0
        self.losses: list[float] = []

    def _groups(self) -> list[dict[str, Any]]:
        """Matrices decay; biases, norms, embeddings of one token and the temperature do not."""
        decays: dict[bool, list[torch.nn.Parameter]] = {True: [], False: []}
        for name, parameter in self.model.named_parameters():
            decays[parameter.ndim >= 2 and "token_embedding" not in name].append(parameter)
        rates = {True: self.plan.weight_decay, False: 0.0}
        return [{"params": decays[key], "weight_decay": rates[key]} for key in (True, False)]

    def step(self, batch: Batch) -> float:
        """Trains on one batch and returns its loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate(self.done)
        loss = self.loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0.0, MOST_SCALE)
        self.done += 1
        self.losses.append(loss.item())
        return self.losses[-1]

    def loss(self, batch: Batch) -> Tensor:
        """Images against texts, texts against others of the same name or with the same words."""
        enabled = self.plan.precision == "bfloat16"
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            images_BP = self._images(batch.pixels_BCHW)
            said = self._texts([*batch.texts, *batch.second_texts])
            bags = self._texts([text for pair in batch.bags for text in pair])
        texts_BP, seconds_FP = said[: len(batch.texts)], said[len(batch.texts) :]
        scale = self.model.logit_scale.exp()
        loss = contrastive_loss(texts_BP, images_BP, batch.true_BB, scale)
        firsts_FP = texts_BP[: len(seconds_FP)]
        names = contrastive_loss(firsts_FP, seconds_FP, batch.alike_FF, torch.tensor(NAME_SCALE))
        own = torch.eye(len(batch.bags), dtype=torch.bool)
        words = contrastive_loss(bags[::2], bags[1::2], own, torch.tensor(BAGS_SCALE))
        return loss + self.plan.name_weight * names + self.plan.bags_weight * words

    def _images(self, pixels_BCHW: Tensor) -> Tensor:
        out = self.model.get_image_features(pixel_values=pixels_BCHW)
        return functional.normalize(out.pooler_output.float(), dim=-1)

    def _texts(self, texts: list[str]) -> Tensor:
        tokens = self.tokenizer(
            texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
        )
        out = self.model.get_text_features(**tokens)
        return functional.normalize(out.pooler_output.float(), dim=-1)

    def save(self, file: Path) -> None:
        """Writes the state, whole or not at all."""
        state = {
            "done": self.done,
            "seconds": self.seconds,
            "losses": self.losses,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        with atomic_write(file) as temporary:
            torch.save(state, temporary)

    def load(self, file: Path) -> None:
        """Takes up the state that `save` wrote."""
        state = torch.load(file, weights_only=True)
        self.done, self.seconds, self.losses = state["done"], state["seconds"], state["losses"]
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])

    def trained(self) -> Any:
        """A plain CLIPModel with the trained weights."""
        model = new_clip(self.tokenizer, self.plan.sizes, self.plan.seed)
        model.load_state_dict(self.model.state_dict())
        return model.eval()
