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
_FEWEST_ROWS = 256  # of a large vocabulary: with fewer, adding to its gradient costs more than the products


def linear_cross_entropy(
    x_ND: torch.Tensor,
    weight_VD: torch.Tensor,
    targets_N: torch.Tensor,
    *,
    bias_V: torch.Tensor | None = None,
    label_smoothing: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of −log softmax(x · weightᵀ + bias)[target] over the targets that are not ``IGNORED``, and their number.

    With ``label_smoothing`` ε a target is the mixture of itself, 1 − ε, and of all entries alike, ε / V (Szegedy 2016).

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
    total: torch.Tensor = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        x_ND, weight_VD, bias_V, targets_N, label_smoothing, dtype
    )
    return total, (targets_N != IGNORED).sum()


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0917  torch passes them by position
        ctx: Any,
        x_ND: torch.Tensor,
        weight_VD: torch.Tensor,
        bias_V: torch.Tensor | None,
        targets_N: torch.Tensor,
        smoothing: float,
        dtype: torch.dtype,
    ) -> torch.Tensor:
        has_ignored = bool((targets_N == IGNORED).any())
        wants_gradient = any(ctx.needs_input_grad[:3])
        with torch.autocast(x_ND.device.type, enabled=False):
            x, weight = x_ND.detach().to(dtype), weight_VD.detach().to(dtype)
            bias = None if bias_V is None else bias_V.detach().float()
            grad_x = torch.empty_like(x_ND) if wants_gradient else None
            grad_weight = torch.zeros_like(weight_VD) if wants_gradient else None
            grad_bias = torch.zeros_like(bias_V) if wants_gradient and bias_V is not None else None
            total = torch.zeros((), device=x.device, dtype=torch.float32)
            entries = weight.shape[0]
            rows = max(_FEWEST_ROWS, _CHUNK_NUMBERS // entries)
            for start in range(0, x.shape[0], rows):
                x_CD, targets_C1 = x[start : start + rows], targets_N[start : start + rows, None]
                logits_CV = x_CD @ weight.T if bias is None else (x_CD @ weight.T).float() + bias
                scores_CV = torch.log_softmax(logits_CV, dim=1, dtype=torch.float32)
                counted_C1 = (targets_C1 != IGNORED).float()
                chosen_C1 = targets_C1.clamp(min=0)
                losses_C1 = -scores_CV.gather(1, chosen_C1)
                if smoothing:
                    losses_C1 = (1 - smoothing) * losses_C1 - smoothing * scores_CV.mean(dim=1, keepdim=True)
                total += (losses_C1 * counted_C1).sum()
                if grad_x is None or grad_weight is None:
                    continue
                # the gradient of a row is its probabilities, less what they should be
                error_CV = scores_CV.exp_()
                if smoothing:
                    error_CV -= smoothing / entries
                error_CV.scatter_add_(1, chosen_C1, torch.full_like(counted_C1, smoothing - 1.0))
                error_CV = error_CV.mul_(counted_C1) if has_ignored else error_CV
                if grad_bias is not None:
                    grad_bias += error_CV.sum(dim=0)
                error_CV = error_CV.to(dtype)
                grad_x[start : start + rows] = error_CV @ weight
                if dtype == grad_weight.dtype:
                    grad_weight.addmm_(error_CV.T, x_CD)
                else:
                    grad_weight += error_CV.T @ x_CD
        if wants_gradient:
            ctx.save_for_backward(grad_x, grad_weight, grad_bias)
        return total

    @staticmethod
    def backward(ctx: Any, grad_total: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        grad_x, grad_weight, grad_bias = ctx.saved_tensors
        bias = None if grad_bias is None else grad_bias * grad_total
        return grad_x * grad_total, grad_weight * grad_total, bias, None, None, None
