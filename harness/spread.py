"""One run over several processes, seen from inside one of them: which rows are its own, and what goes between them.

Every process walks through the same batches in the same order. Of each it takes its share of the rows, and divides its
loss by what the whole batch asks for, so that the summed gradient is the one that a single process would have had:
the batch size stays the recipe's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import distributed, nn

from harness.data import Batch, Targets
from methods.layers import trainable

T = TypeVar("T")
BLOCK = re.compile(r"(?:^|\.)(?:layer|layers|h|block|blocks)\.\d+$")


class CameApart(RuntimeError):
    """The processes' weights are no longer the same."""


class Spread:
    """One process that has the run to itself: nothing is shared."""

    rank = 0
    processes = 1

    def over(self, model: nn.Module) -> None:
        """Makes the model ready for the run's passes, before the first of them."""

    def forward(self, model: nn.Module) -> Callable[..., Any]:
        """What a training step calls in the model's place."""
        return model

    def parts(self, batch: Batch, parts: int) -> Iterator[Batch]:
        """This process' rows of a batch, in at most so many parts."""
        yield from batch.split(parts)

    def weighed(self, loss: torch.Tensor) -> torch.Tensor:
        """The loss whose gradient, as the processes join theirs, is the sum over their losses."""
        return loss

    def summed(self, value: torch.Tensor) -> torch.Tensor:
        """The sum over processes."""
        return value

    def agreed(self, answer: Callable[[], T]) -> T:
        """An answer that all processes go on with."""
        return answer()

    def check(self, model: nn.Module) -> None:
        """Raises CameApart where the processes ended with other weights than each other."""


ALONE = Spread()


def share(batch: Batch, rank: int, processes: int) -> Batch:
    """The rows of one of the processes. Where there are fewer rows than processes, the last ones get the first row with
    nothing asked of it, since all must go through the model."""
    found = batch.split(processes)
    if rank < len(found):
        return found[rank]
    inputs = {name: value[:1] for name, value in batch.inputs.items()}
    labels = batch.labels[:0]
    return Batch(inputs, labels, batch.tokens, [], None if batch.targets is None else Targets.of(labels))


class Several(Spread):
    """What both ways of sharing a run have in common. The default process group must be there."""

    def __init__(self) -> None:
        self.rank, self.processes = distributed.get_rank(), distributed.get_world_size()
        self._rows = 0

    def _joining(self, model: nn.Module, join: bool) -> None:
        """Whether the next backward pass joins the processes' gradients."""
        raise NotImplementedError

    def _whole(self) -> nn.Module:
        raise NotImplementedError

    def forward(self, model: nn.Module) -> Callable[..., Any]:
        def logits_of_rows(**inputs: Any) -> Any:
            output = self._whole()(**inputs)
            output.logits = output.logits[: self._rows]
            return output

        return logits_of_rows

    def parts(self, batch: Batch, parts: int) -> Iterator[Batch]:
        own = share(batch, self.rank, self.processes)
        found = own.split(parts) if own.index else [own]
        for at, part in enumerate(found):
            self._rows = len(part.index)
            self._joining(self._whole(), at + 1 == len(found))
            yield part

    def weighed(self, loss: torch.Tensor) -> torch.Tensor:
        # Gradients are joined as means.
        return loss * self.processes

    def summed(self, value: torch.Tensor) -> torch.Tensor:
        distributed.all_reduce(value)
        return value

    def _from_first(self, answer: T | None) -> T:
        box = [answer]
        distributed.broadcast_object_list(box)
        return box[0]  # type: ignore[return-value]


class Replicated(Several):
    """DistributedDataParallel: each process has the whole model; the first one answers for all."""

    def __init__(self) -> None:
        super().__init__()
        self._model: nn.parallel.DistributedDataParallel | None = None

    def over(self, model: nn.Module) -> None:
        # Some methods train values that a pass through the model does not meet.
        self._model = nn.parallel.DistributedDataParallel(model, broadcast_buffers=False, find_unused_parameters=True)

    def _whole(self) -> nn.Module:
        assert self._model is not None
        return self._model

    def _joining(self, model: nn.Module, join: bool) -> None:
        model.require_backward_grad_sync = join  # type: ignore[assignment]

    def agreed(self, answer: Callable[[], T]) -> T:
        return self._from_first(answer() if self.rank == 0 else None)

    def check(self, model: nn.Module) -> None:
        digest = hashlib.sha256()
        # Buffers too: what a layer keeps of the rows that it saw differs between processes.
        for name, tensor in (*trainable(model).items(), *model.named_buffers()):
            values = tensor.detach().cpu().contiguous().flatten().view(torch.uint8)
            digest.update(name.encode() + values.numpy().tobytes())
        if self._from_first(digest.hexdigest()) != digest.hexdigest():
            raise CameApart("the processes ended with different values: this method cannot be spread over several")


class Sharded(Several):
    """FSDP (fully_shard): each process holds its part of every weight, and a block is whole only while it computes."""

    def __init__(self) -> None:
        super().__init__()
        self._model: nn.Module | None = None

    def over(self, model: nn.Module) -> None:
        from torch.distributed.fsdp import FSDPModule, fully_shard

        inside = ""
        for name, module in model.named_modules():
            if BLOCK.search(name) and not (inside and name.startswith(inside)):
                inside = name + "."
                fully_shard(module)
        # By itself the last of them would stay whole after a pass, and what reads weights between passes find two kinds.
        fully_shard(model, reshard_after_forward=True)
        # The buffers that weights are gathered into must not be made by a first pass in inference mode.
        for module in model.modules():
            if isinstance(module, FSDPModule):
                module.unshard()
                module.reshard()
        self._model = model

    def _whole(self) -> nn.Module:
        assert self._model is not None
        return self._model

    def _joining(self, model: nn.Module, join: bool) -> None:
        model.set_requires_gradient_sync(join)  # type: ignore[operator]

    def agreed(self, answer: Callable[[], T]) -> T:
        # A pass needs every process.
        return self._from_first(answer())
