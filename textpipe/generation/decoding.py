"""Prompts in, text out.

What enters: a model, its tokenizer and prompts. What leaves: ids step by step, whole texts, or a stream of text whose
pieces never split a character. Texts are made of whole characters only, whatever bytes the model would put together
(see :mod:`textpipe.generation.whole_characters`); ids by themselves are as the model chooses. A prompt begins as a
document begins in training, after eos, so the empty prompt is one too. Writing stops at eos, at
``max_tokens`` or before a string of ``stop``.

Each step reads one token: keys and values of what was read before are kept. When the model's context is full, the
newest half of the text is read again and writing goes on from there, so a text may be longer than the context; the same
happens, at the same places, for every sequence of a batch. Prompts of mixed length stand in one batch, padded at the
left with positions nothing attends to.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from textpipe.data.permutation import derive_key
from textpipe.errors import InputError
from textpipe.generation.sampling import SamplingConfig, choose
from textpipe.generation.stop_strings import StopStrings
from textpipe.generation.whole_characters import WholeCharacters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textpipe.nn.gpt import GPT
    from textpipe.nn.shapes import GptConfig
    from textpipe.tokenizer import Tokenizer

__all__ = ["check_prompts", "generate", "generate_ids", "stream"]


@torch.no_grad()
def generate_ids(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    config: SamplingConfig,
    *,
    eos_id: int,
    only: WholeCharacters | None = None,
) -> Iterator[list[int | None]]:
    """Yield the next id of every sequence, step by step; None for a sequence that has ended.

    Parameters
    ----------
    prompts : ids to go on from, each at least one and shorter than the model's context.
    eos_id : ends a sequence; it is not yielded.
    only : keeps each sequence UTF-8, taking its prompt to end between characters.

    Raises
    ------
    InputError
        when a prompt is empty, too long, or has an id the model does not know.
    """
    _check_prompts(model.config, prompts)
    device = model.head_weight.device
    longest = max(len(prompt) for prompt in prompts)
    padding = [longest - len(prompt) for prompt in prompts]
    padded = [[eos_id] * pad + list(prompt) for pad, prompt in zip(padding, prompts, strict=True)]
    text_BT = torch.tensor(padded, device=device)
    written = [list(prompt) for prompt in prompts]
    generators = [
        torch.Generator().manual_seed(derive_key("sample", config.seed, row) >> 1) for row in range(len(prompts))
    ]
    running = [True] * len(prompts)
    states = [0] * len(prompts)
    cache, unread_BT = model.new_cache(len(prompts), padding=padding), text_BT
    for _ in range(config.max_tokens):
        if cache.length + unread_BT.shape[1] > model.config.context:
            half = max(1, model.config.context // 2)
            padding = [max(0, pad - (text_BT.shape[1] - half)) for pad in padding]
            text_BT = text_BT[:, -half:]
            cache, unread_BT = model.new_cache(len(prompts), padding=padding), text_BT
        logits_BV = model.logits(model(unread_BT, cache=cache)[:, -1])
        if only is not None:
            logits_BV = logits_BV.masked_fill(~only.mask(states).to(device), -math.inf)
        unread_BT = choose(logits_BV, config, generators, written)[:, None]
        text_BT = torch.cat([text_BT, unread_BT], dim=1)
        ids = unread_BT[:, 0].tolist()
        for row, found in zip(written, ids, strict=True):
            row.append(found)
        if only is not None:
            states = [only.after(state, found) for state, found in zip(states, ids, strict=True)]
        running = [was and found != eos_id for was, found in zip(running, ids, strict=True)]
        if not any(running):
            return
        yield [found if still else None for still, found in zip(running, ids, strict=True)]


def _check_prompts(model: GptConfig, prompts: Sequence[Sequence[int]]) -> None:
    if not prompts:
        raise InputError("no prompt given")
    for number, prompt in enumerate(prompts):
        if not prompt:
            raise InputError(f"prompt {number} is empty", hint="begin it with the id of eos")
        if len(prompt) > model.context:
            raise InputError(
                f"prompt {number} has {len(prompt)} tokens",
                allowed=f"{model.context}, the model's context",
                hint="shorten it",
            )
        if not 0 <= min(prompt) <= max(prompt) < model.vocab_size:
            raise InputError(f"prompt {number} has the id {max(prompt)}", allowed=f"0 … {model.vocab_size - 1}")


def check_prompts(tokenizer: Tokenizer, prompts: Sequence[str], model: GptConfig, *, eos_id: int) -> None:
    """Refuse what a model of this shape could not go on from, before any of it is begun.

    Raises
    ------
    InputError
        when a prompt is longer than the model's context.
    """
    _check_prompts(model, [_encode(tokenizer, prompt, eos_id) for prompt in prompts])


def _encode(tokenizer: Tokenizer, prompt: str, eos_id: int) -> list[int]:
    return [eos_id, *tokenizer.encode(prompt, add_special_tokens=False).ids]


def generate(
    model: GPT, tokenizer: Tokenizer, prompts: Sequence[str], config: SamplingConfig | None = None, *, eos_id: int
) -> list[str]:
    """Continue each prompt; the texts do not include the prompts.

    Examples
    --------
    >>> model, tokenizer, facts = load_model("run")  # doctest: +SKIP
    >>> generate(model, tokenizer, ["옛날에"], eos_id=facts["eos_id"])  # doctest: +SKIP
    [' 작은 마을에 …']
    """
    written = [""] * len(prompts)
    for step in _pieces(model, tokenizer, prompts, config or SamplingConfig(), eos_id):
        written = [text + piece for text, piece in zip(written, step, strict=True)]
    return written


def stream(
    model: GPT, tokenizer: Tokenizer, prompt: str, config: SamplingConfig | None = None, *, eos_id: int
) -> Iterator[str]:
    """Continue one prompt, piece by piece as it is written; no piece ends inside a character.

    The pieces joined are what :func:`generate` gives.
    """
    for (piece,) in _pieces(model, tokenizer, [prompt], config or SamplingConfig(), eos_id):
        if piece:
            yield piece


def _pieces(
    model: GPT, tokenizer: Tokenizer, prompts: Sequence[str], config: SamplingConfig, eos_id: int
) -> Iterator[list[str]]:
    """The text each step adds to each prompt; bytes of a character that max_tokens leaves unfinished are dropped."""
    from textpipe.decoders import DecodeStream

    decoders = [DecodeStream(skip_special_tokens=True) for _ in prompts]
    watches = [StopStrings(config.stop) for _ in prompts]
    ids = [_encode(tokenizer, prompt, eos_id) for prompt in prompts]
    for step in generate_ids(model, ids, config, eos_id=eos_id, only=WholeCharacters(tokenizer)):
        yield [
            watch.feed((decoder.step(tokenizer, found) or "") if found is not None else "")
            for decoder, watch, found in zip(decoders, watches, step, strict=True)
        ]
        if config.stop and all(watch.has_stopped for watch in watches):
            return
    yield [watch.finish() for watch in watches]
