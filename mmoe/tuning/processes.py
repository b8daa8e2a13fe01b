"""Several processes that train as one: each encodes a part of a batch, and all see the whole of it."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Processes:
    """The processes of one run, as torchrun starts them; one alone without it.

    Attributes:
        rank: of this one, in [0, count).
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def of_run(cls) -> Processes:
        """Joins the processes that torchrun has started: by NCCL on GPUs, else by gloo."""
        if "TORCHELASTIC_RUN_ID" not in os.environ:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return cls(dist.get_rank(), dist.get_world_size())

    def own(self, num_rows: int) -> list[int]:
        """The rows that this process encodes: as many in each process, the last one repeated at the end."""
        each = -(-num_rows // self.count)
        first = self.rank * each
        return [min(row, num_rows - 1) for row in range(first, first + each)]

    def joined(self, own: Tensor, num_rows: int) -> Tensor:
        """The rows of all processes, of one shape in each; gradients reach those of this process."""
        if self.count == 1:
            return own
        joined: Tensor = _Gather.apply(own.contiguous(), self.rank, self.count)  # type: ignore[no-untyped-call]
        return joined[:num_rows]

    def largest(self, number: int) -> int:
        """The largest of the processes' numbers."""
        if self.count == 1:
            return number
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        found = torch.tensor(number, device=device)
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found)

    def add_gradients(self, module: nn.Module) -> None:
        """Adds up the gradients of what each process computed of its own rows."""
        if self.count == 1:
            return
        for parameter in module.parameters():
            if parameter.requires_grad:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                dist.all_reduce(parameter.grad)

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            dist.barrier()


class _Gather(torch.autograd.Function):
    """Rows of all processes. Each computes the loss of all rows, so its own gradient is the whole one."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, own: Tensor, rank: int, count: int
    ) -> Tensor:
        parts = [torch.empty_like(own) for _ in range(count)]
        dist.all_gather(parts, own)
        ctx.place = rank * len(own), len(own)  # type: ignore[attr-defined]
        return torch.cat(parts)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor
    ) -> tuple[Tensor, None, None]:
        first, count = ctx.place  # type: ignore[attr-defined]
        return gradients[0][first : first + count], None, None
