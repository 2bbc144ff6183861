"""Recurrent cells: layers that read whole padded sources, and the matrices of a decoder that goes step by step.

What enters: sequences of vectors with their lengths, and the weights of torch's LSTM or GRU. What leaves: states of
every position and the last of each sequence, as torch's packed sequences give them. Promised are time and memory that
grow with the length only: packing narrows a matrix at each position, and so does adding up a weight's gradient at each
step; both write the whole matrix that often.

Axes: B sequence, S position, E input, M state, L layer and way, G gates, O output and I input of a
matrix.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

__all__ = ["State", "StepCell", "StepMatrix", "read_both_ways"]

_PAD_COLUMNS = 8  # one is used; the kernels for half precision want widths that 8 divides
State = tuple[torch.Tensor, ...]  # of cells: what they gave out and, of an LSTM, what they hold
_HELD = 1e4  # added to a gate it is shut or open: its sigmoid is 0 or 1 to the last bit, in half precision too


def cell_weights(cells: nn.RNNBase, layer: int, ending: str = "") -> list[torch.Tensor]:
    """The two matrices and two biases of a layer, as torch names and orders them."""
    return [getattr(cells, f"{name}_l{layer}{ending}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def read_both_ways(cells: nn.LSTM | nn.GRU, x_BSE: torch.Tensor, mask_BS: torch.Tensor) -> tuple[torch.Tensor, State]:
    """What ``cells`` make of sequences that padding follows: equal to running them on packed sequences.

    Parameters
    ----------
    mask_BS : where tokens are; padding stands behind them.

    Returns
    -------
    states : (B, S, M), zero at padding, both ways side by side.
    last : (L, B, M) after each sequence's last token; for an LSTM the outputs and the cells.

    Notes
    -----
    The other way reads each sequence turned round within its length, so that padding stands behind it too. What was
    given out last is taken from where a sequence ends; what an LSTM's cells hold there is not told of any position but
    the last, so a column of the input, one at padding, holds the gates such that cells keep what they have.
    """
    turned_N = _turned(mask_BS)
    lasts: list[State] = []
    for layer in range(cells.num_layers):
        if layer:
            x_BSE = functional.dropout(x_BSE, cells.dropout, cells.training)
        ways = []
        for ending in ("", "_reverse")[: 2 if cells.bidirectional else 1]:
            read_BSE = _reordered(x_BSE, turned_N) if ending else x_BSE
            out_BSM, last = _read(cells, cell_weights(cells, layer, ending), read_BSE, mask_BS)
            ways.append(_reordered(out_BSM, turned_N) if ending else out_BSM)
            lasts.append(last)
        x_BSE = torch.cat(ways, dim=-1)
    return x_BSE.masked_fill(~mask_BS[..., None], 0.0), tuple(torch.stack(parts) for parts in zip(*lasts, strict=True))


def _turned(mask_BS: torch.Tensor) -> torch.Tensor:
    """The places of a flattened batch that turn each sequence round and leave padding where it is; twice is nothing."""
    places_S = torch.arange(mask_BS.shape[1], device=mask_BS.device)
    lengths_B1 = mask_BS.sum(dim=1, keepdim=True)
    turned_BS = torch.where(mask_BS, lengths_B1 - 1 - places_S, places_S)
    return (turned_BS + torch.arange(len(mask_BS), device=mask_BS.device)[:, None] * mask_BS.shape[1]).flatten()


def _reordered(x_BSE: torch.Tensor, places_N: torch.Tensor) -> torch.Tensor:
    return x_BSE.flatten(0, 1).index_select(0, places_N).view_as(x_BSE)


def _read(
    cells: nn.LSTM | nn.GRU, weights: list[torch.Tensor], x_BSE: torch.Tensor, mask_BS: torch.Tensor
) -> tuple[torch.Tensor, State]:
    """One layer one way."""
    start_1BM = x_BSE.new_zeros(1, len(x_BSE), cells.hidden_size)
    places_B, ends_B = torch.arange(len(x_BSE), device=x_BSE.device), mask_BS.sum(dim=1) - 1
    if cells.mode == "GRU":
        out_BSM, _ = torch.gru(x_BSE, start_1BM, weights, True, 1, 0.0, cells.training, False, True)
        return out_BSM, (out_BSM[places_B, ends_B],)
    columns_GP = weights[0].new_zeros(4, cells.hidden_size, _PAD_COLUMNS)
    columns_GP[0, :, 0], columns_GP[1, :, 0] = -_HELD, _HELD  # nothing enters, nothing is forgotten
    weights = [torch.cat([weights[0], columns_GP.flatten(0, 1)], dim=1), *weights[1:]]
    pads_BSP = functional.pad((~mask_BS)[..., None].to(x_BSE.dtype), (0, _PAD_COLUMNS - 1))
    x_BSE = torch.cat([x_BSE, pads_BSP], dim=-1)
    state = [start_1BM, start_1BM]
    out_BSM, _, held_1BM = torch.lstm(x_BSE, state, weights, True, 1, 0.0, cells.training, False, True)
    return out_BSM, (out_BSM[places_B, ends_B], held_1BM[0])


class StepCell:
    """One layer of LSTM or GRU cells, for a loop that calls it step by step.

    Parameters
    ----------
    num_apart : so many of the input's first columns are known for all steps; :meth:`before` takes them at once.
    """

    def __init__(self, cells: nn.LSTM | nn.GRU, layer: int, *, num_apart: int = 0) -> None:
        weight_ih, weight_hh, self._bias_ih, self._bias_hh = cell_weights(cells, layer)
        self._apart_GE = weight_ih[:, :num_apart]
        self._input = StepMatrix(weight_ih[:, num_apart:]) if weight_ih.shape[1] > num_apart else None
        self._state = StepMatrix(weight_hh)
        self._next = _lstm if cells.mode == "LSTM" else _gru

    def before(self, x_E: torch.Tensor) -> torch.Tensor:
        """What the first columns of the input give the gates (…, G), at any number of steps."""
        return functional.linear(x_E, self._apart_GE, self._bias_ih)

    def __call__(self, x_BI: torch.Tensor | None, state: State, given_BG: torch.Tensor | None = None) -> State:
        """The state after a step that reads ``x_BI``, beside what :meth:`before` gave for it."""
        from_x_BG = self._bias_ih if given_BG is None else given_BG
        if self._input is not None and x_BI is not None:
            from_x_BG = from_x_BG + self._input(x_BI)
        return self._next(from_x_BG, self._state(state[0]) + self._bias_hh, state)


def _lstm(from_x_BG: torch.Tensor, from_state_BG: torch.Tensor, state: State) -> State:
    enter, forget, new, out = (from_x_BG + from_state_BG).chunk(4, dim=-1)
    cell = forget.sigmoid() * state[1] + enter.sigmoid() * new.tanh()
    return out.sigmoid() * cell.tanh(), cell


def _gru(from_x_BG: torch.Tensor, from_state_BG: torch.Tensor, state: State) -> State:
    reset_x, keep_x, new_x = from_x_BG.chunk(3, dim=-1)
    reset_h, keep_h, new_h = from_state_BG.chunk(3, dim=-1)
    new = (new_x + (reset_x + reset_h).sigmoid() * new_h).tanh()
    return (torch.lerp(new, state[0], (keep_x + keep_h).sigmoid()),)


class StepMatrix:
    """A matrix that many steps multiply by: its gradient is one product over all of them.

    Added up step by step, as autograd does, the gradient of a large matrix is written and read whole at each step.

    Parameters
    ----------
    weight_OI : (…, O, I), of a layer or, with a matrix for each sequence, of what a decoder attends to.

    Notes
    -----
    Backward must reach the matrix each time it runs; that of the inputs alone would be counted again by the next.

    Examples
    --------
    >>> matrix = StepMatrix(torch.eye(2))
    >>> matrix(torch.tensor([[1.0, 2.0]]))
    tensor([[1., 2.]])
    """

    def __init__(self, weight_OI: torch.Tensor) -> None:
        device = weight_OI.device.type
        if torch.is_autocast_enabled(device):
            weight_OI = weight_OI.to(torch.get_autocast_dtype(device))
        self._steps: _Steps | None = None
        if weight_OI.requires_grad and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            self._steps = _Steps()
            weight_OI = _Gathered.apply(weight_OI, self._steps)  # type: ignore[no-untyped-call]
        self.weight_OI = weight_OI

    def __call__(self, x_NI: torch.Tensor) -> torch.Tensor:
        """x · weightᵀ, (…, N, O)."""
        x_NI = x_NI.to(self.weight_OI.dtype)
        if self._steps is None:
            return x_NI @ self.weight_OI.mT
        product: torch.Tensor = _Product.apply(x_NI, self.weight_OI, self._steps)  # type: ignore[no-untyped-call]
        return product


class _Steps:
    """What the steps read and the gradients of what they gave, met on the way back."""

    def __init__(self) -> None:
        self.inputs: list[torch.Tensor] = []
        self.gradients: list[torch.Tensor] = []


class _Gathered(torch.autograd.Function):
    """The matrix itself; on the way back it comes after every product with it."""

    @staticmethod
    def forward(ctx: Any, weight_OI: torch.Tensor, steps: _Steps) -> torch.Tensor:
        ctx.steps, ctx.is_shared = steps, weight_OI.dim() == 2
        ctx.set_materialize_grads(False)
        return weight_OI.view_as(weight_OI)

    @staticmethod
    def backward(ctx: Any, grad_OI: torch.Tensor | None) -> tuple[torch.Tensor | None, None]:
        steps: _Steps = ctx.steps
        inputs, gradients = steps.inputs, steps.gradients
        steps.inputs, steps.gradients = [], []
        if not inputs:
            return grad_OI, None
        if ctx.is_shared:  # by all sequences of a batch, whose steps are then rows like others
            inputs, gradients = ([step.flatten(0, -2) for step in steps] for steps in (inputs, gradients))
        gathered_OI = torch.cat(gradients, dim=-2).mT @ torch.cat(inputs, dim=-2)
        return gathered_OI if grad_OI is None else gathered_OI + grad_OI, None


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_NI: torch.Tensor, weight_OI: torch.Tensor, steps: _Steps) -> torch.Tensor:
        ctx.save_for_backward(x_NI, weight_OI)
        ctx.steps = steps
        return x_NI @ weight_OI.mT

    @staticmethod
    def backward(ctx: Any, grad_NO: torch.Tensor) -> tuple[torch.Tensor | None, None, None]:
        x_NI, weight_OI = ctx.saved_tensors
        ctx.steps.inputs.append(x_NI.detach())
        ctx.steps.gradients.append(grad_NO)
        return grad_NO @ weight_OI if ctx.needs_input_grad[0] else None, None, None
