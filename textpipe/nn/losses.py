"""Cross-entropy of a linear layer, without ever holding all its logits.

What enters: hidden states, the matrix that turns them into logits, and targets. What leaves: the summed loss and the
number of targets it was summed over.

A model of width 128 with 8,000 entries spends most of a step on its last matrix, and the plain way writes the logits
(positions × vocabulary numbers) to memory five times: logits, log-softmax, and their gradients. Here rows are taken a
few at a time: their logits, the loss and the gradient are computed while they are in the processor's cache, and only
the two gradients that others need are kept. The same idea is known from memory-saving kernels for graphics cards
(Wijmans et al. 2024, "Cut your losses"); the arithmetic is that of ``cross_entropy``.

Axes: N positions, D model width, V vocabulary, C the positions of one chunk.
"""

from __future__ import annotations

from typing import Any

import torch

from textpipe.data.batches import IGNORED

__all__ = ["linear_cross_entropy"]

_CHUNK_NUMBERS = 1 << 20  # logits held at once: 4 MB in float32, about a core's cache


def linear_cross_entropy(
    x_ND: torch.Tensor, weight_VD: torch.Tensor, targets_N: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of −log softmax(x · weightᵀ)[target] over the targets that are not ``IGNORED``, and their number.

    Under autocast the two matrix products run in its type; sums, softmax and logarithms are always float32.

    Notes
    -----
    Time O(N · D · V), as plainly; memory O(N · D + V · D + chunk). The gradient is computed with the loss, so backward
    is a scaling only; without gradients (evaluation) neither is computed.

    Examples
    --------
    >>> x, weight = torch.zeros(3, 4), torch.zeros(10, 4)
    >>> total, count = linear_cross_entropy(x, weight, torch.tensor([1, 2, IGNORED]))
    >>> round(total.item() / count.item(), 4)  # the logarithm of 10
    2.3026
    """
    device = x_ND.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else weight_VD.dtype
    total: torch.Tensor = _LinearCrossEntropy.apply(x_ND, weight_VD, targets_N, dtype)  # type: ignore[no-untyped-call]
    return total, (targets_N != IGNORED).sum()


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x_ND: torch.Tensor, weight_VD: torch.Tensor, targets_N: torch.Tensor, dtype: torch.dtype
    ) -> torch.Tensor:
        has_ignored = bool((targets_N == IGNORED).any())
        wants_gradient = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
        with torch.autocast(x_ND.device.type, enabled=False):
            x, weight = x_ND.detach().to(dtype), weight_VD.detach().to(dtype)
            grad_x = torch.empty_like(x_ND) if wants_gradient else None
            grad_weight = torch.zeros_like(weight_VD) if wants_gradient else None
            total = torch.zeros((), device=x.device, dtype=torch.float32)
            rows = max(32, _CHUNK_NUMBERS // weight.shape[0])
            for start in range(0, x.shape[0], rows):
                x_CD, targets_C1 = x[start : start + rows], targets_N[start : start + rows, None]
                scores_CV = torch.log_softmax(x_CD @ weight.T, dim=1, dtype=torch.float32)
                counted_C1 = (targets_C1 != IGNORED).float()
                chosen_C1 = targets_C1.clamp(min=0)
                total -= (scores_CV.gather(1, chosen_C1) * counted_C1).sum()
                if grad_x is not None and grad_weight is not None:
                    # the gradient of a row is its probabilities, less one at the target
                    error_CV = scores_CV.exp_().scatter_add_(1, chosen_C1, -torch.ones_like(counted_C1))
                    error_CV = error_CV.mul_(counted_C1).to(dtype) if has_ignored else error_CV.to(dtype)
                    grad_x[start : start + rows] = error_CV @ weight
                    if dtype == grad_weight.dtype:
                        grad_weight.addmm_(error_CV.T, x_CD)
                    else:
                        grad_weight += error_CV.T @ x_CD
        if wants_gradient:
            ctx.save_for_backward(grad_x, grad_weight)
        return total

    @staticmethod
    def backward(ctx: Any, grad_total: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        grad_x, grad_weight = ctx.saved_tensors
        return grad_x * grad_total, grad_weight * grad_total, None, None
