"""The optimizer of methods whose ranks, or layers, come to train by and by."""

from __future__ import annotations

from typing import Any

import torch


class GrowingAdamW(torch.optim.AdamW):
    """AdamW that the parameters know, so that those which come to train can be handed to it."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        super().__init__(groups)
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.trained_by = (self, group)
