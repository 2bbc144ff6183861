"""Attention in bfloat16: as near to float32 as its inputs allow."""

from __future__ import annotations

import pytest
import torch

from textpipe.nn.attention import Attention


@pytest.mark.parametrize("length", [5, 300])
def test_attention_in_bfloat16_goes_back_to_nearly_the_gradients_of_float32(length: int) -> None:
    found = []
    for dtype in (torch.float32, torch.bfloat16):
        torch.manual_seed(0)
        attention = Attention(32, 4, kv_heads=2, dropout=0.0, bias=True)
        x_BTD = torch.randn(3, length, 32, requires_grad=True)
        with torch.autocast("cpu", dtype=dtype, enabled=dtype == torch.bfloat16):
            y_BTD = attention(x_BTD, is_causal=True)
        assert y_BTD.dtype == dtype
        y_BTD.float().square().sum().backward()
        assert x_BTD.grad is not None
        found.append((y_BTD.float(), x_BTD.grad))
    for exact, near in zip(*found, strict=True):
        assert (exact - near).norm() < 0.02 * exact.norm()
