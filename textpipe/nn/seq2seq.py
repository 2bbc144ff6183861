"""A recurrent encoder and decoder, with attention or without.

What enters: ids of sources, where each ends, and ids of targets. What leaves: hidden states of the target, and from
them logits of its next token; and, with attention, where each step looked. The attentions are Bahdanau's, scored from
the decoder's state before a step, and Luong's dot, general and concat, scored from the state after it, with or without
his input feeding.

Axes: B sequence, S position of the source, T of the target, E embedding, M state of the encoder, D of the decoder,
V vocabulary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textpipe.nn.shapes import Seq2SeqConfig

__all__ = ["AdditiveScore", "ProductScore", "ReadSource", "Seq2Seq", "Seq2SeqConfig", "WrittenState"]

_CELL_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
_Hidden = tuple[torch.Tensor, ...]  # (layers, B, D) of each part of the cells' state: h, and of an LSTM also c


@dataclass(frozen=True, slots=True, eq=False)
class ReadSource:
    """A source that was read: its states, what a score wants of them, which are padding, and the last of each."""

    lengths_B: torch.Tensor
    states_BSM: torch.Tensor
    keys_BSD: torch.Tensor
    mask_BS: torch.Tensor
    last: _Hidden

    def select(self, rows_B: torch.Tensor) -> ReadSource:
        """The same for these sequences, in this order; one may be taken several times."""
        return ReadSource(
            self.lengths_B[rows_B],
            self.states_BSM[rows_B],
            self.keys_BSD[rows_B],
            self.mask_BS[rows_B],
            tuple(part[:, rows_B] for part in self.last),
        )


@dataclass(slots=True, eq=False)
class WrittenState:
    """The decoder after the tokens so far: its cells, what its last step gave out, and where that looked."""

    hidden: _Hidden
    fed_BD: torch.Tensor
    weights_BS: torch.Tensor | None = None

    def select(self, rows_B: torch.Tensor) -> None:
        """Go on with these sequences, in this order; one may be taken several times."""
        self.hidden = tuple(part[:, rows_B] for part in self.hidden)
        self.fed_BD = self.fed_BD[rows_B]
        if self.weights_BS is not None:
            self.weights_BS = self.weights_BS[rows_B]


class ProductScore(nn.Module):
    """Luong's dot (the states' product) and general (through a matrix)."""

    def __init__(self, width: int, memory_width: int, *, through_matrix: bool) -> None:
        super().__init__()
        self.key = nn.Linear(memory_width, width, bias=False) if through_matrix else nn.Identity()

    def forward(self, queries_BTD: torch.Tensor, keys_BSD: torch.Tensor) -> torch.Tensor:
        """Scores (B, T, S)."""
        return queries_BTD @ keys_BSD.transpose(1, 2)


class AdditiveScore(nn.Module):
    """v · tanh(W query + U key): Bahdanau's, and Luong's concat, whose one matrix over both is W and U side by side."""

    def __init__(self, width: int, memory_width: int) -> None:
        super().__init__()
        self.key = nn.Linear(memory_width, width, bias=False)
        self.query = nn.Linear(width, width, bias=False)
        self.sum = nn.Linear(width, 1, bias=False)

    def forward(self, queries_BTD: torch.Tensor, keys_BSD: torch.Tensor) -> torch.Tensor:
        """Scores (B, T, S)."""
        bent_BTSD = torch.tanh(self.query(queries_BTD)[:, :, None] + keys_BSD[:, None])
        scores_BTS: torch.Tensor = self.sum(bent_BTSD)[..., 0]
        return scores_BTS


class Seq2Seq(nn.Module):
    """Encoder and decoder.

    Parameters
    ----------
    config : its shape.
    seed : of the first weights: the same seed gives the same model.

    Examples
    --------
    >>> model = Seq2Seq(Seq2SeqConfig(vocab_size=50, embedding=8, width=16, encoder_width=8))
    >>> memory = model.encode(torch.tensor([[5, 6, 7, 0]]), torch.tensor([3]))
    >>> model.logits(model.decode(torch.tensor([[1, 8]]), memory)).shape
    torch.Size([1, 2, 50])
    """

    def __init__(self, config: Seq2SeqConfig, *, seed: int = 0) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.embedding)
        separate = config.source_vocab_size
        self.source_embedding = None if separate is None else nn.Embedding(separate, config.embedding)
        self.dropout = nn.Dropout(config.dropout)
        cells = nn.LSTM if config.cell == "lstm" else nn.GRU
        between = config.dropout if config.layers > 1 else 0.0
        self.encoder = cells(
            config.embedding,
            config.encoder_width,
            config.layers,
            batch_first=True,
            dropout=between,
            bidirectional=config.bidirectional,
        )
        self.bridge = nn.Linear(config.memory_width, config.width)
        fed_width = config.memory_width if config.attention == "bahdanau" else 0
        fed_width += config.width if config.feeds_input else 0
        self.decoder = cells(
            config.embedding + fed_width, config.width, config.layers, batch_first=True, dropout=between
        )
        self.score = self._new_score()
        self.combine = None
        if self.score is not None:
            self.combine = nn.Linear(config.width + config.memory_width, config.width, bias=False)
        self.head = nn.Linear(config.width, config.vocab_size, bias=False)
        self._draw_weights(seed)

    def _new_score(self) -> ProductScore | AdditiveScore | None:
        config = self.config
        if config.attention == "none":
            return None
        if config.attention in ("dot", "general"):
            return ProductScore(config.width, config.memory_width, through_matrix=config.attention == "general")
        return AdditiveScore(config.width, config.memory_width)

    @torch.no_grad()
    def _draw_weights(self, seed: int) -> None:
        """Uniform within 1/√(width) as recurrent layers are, embeddings normal(0, 0.1), zero biases but for the LSTM's
        gate that forgets, which begins open (Jozefowicz et al. 2015)."""
        generator = torch.Generator().manual_seed(seed)
        for name, weight in self.named_parameters():
            if "bias" in name:
                weight.zero_()
                if self.config.cell == "lstm" and "bias_ih" in name:
                    weight[len(weight) // 4 : len(weight) // 2] = 1.0  # input, forget, cell, output
            elif "embedding" in name:
                weight.normal_(0.0, 0.1, generator=generator)
            else:
                bound = 1.0 / math.sqrt(weight.shape[-1])
                weight.uniform_(-bound, bound, generator=generator)

    def encode(self, source_BS: torch.Tensor, lengths_B: torch.Tensor) -> ReadSource:
        """Read sources; positions from ``lengths_B`` on are padding, which no state sees."""
        x_BSE = self.dropout((self.source_embedding or self.embedding)(source_BS))
        packed = pack_padded_sequence(x_BSE, lengths_B.cpu(), batch_first=True, enforce_sorted=False)
        out, last = self.encoder(packed)
        states_BSM, _ = pad_packed_sequence(out, batch_first=True, total_length=source_BS.shape[1])
        keys_BSD = states_BSM if self.score is None else self.score.key(states_BSM)
        mask_BS = torch.arange(source_BS.shape[1], device=lengths_B.device)[None] < lengths_B[:, None]
        parts = last if isinstance(last, tuple) else (last,)
        return ReadSource(lengths_B, states_BSM, keys_BSD, mask_BS, tuple(self._bridged(part) for part in parts))

    def _bridged(self, last_LBM: torch.Tensor) -> torch.Tensor:
        """The encoder's last states, both ways side by side, as the decoder's first, (layers, B, D)."""
        ways = 2 if self.config.bidirectional else 1
        sides = last_LBM.view(self.config.layers, ways, *last_LBM.shape[1:]).transpose(1, 2).flatten(2)
        return torch.tanh(self.bridge(sides))

    def start(self, memory: ReadSource) -> WrittenState:
        """The decoder before its first token."""
        batch = len(memory.lengths_B)
        return WrittenState(memory.last, memory.states_BSM.new_zeros(batch, self.config.width))

    def decode(self, target_BT: torch.Tensor, memory: ReadSource) -> torch.Tensor:
        """Hidden states (B, T, D) of whole targets."""
        config, state = self.config, self.start(memory)
        embedded_BTE = self.dropout(self.embedding(target_BT))
        if config.attention == "bahdanau" or config.feeds_input:
            steps = [self._step(x_B1E, memory, state) for x_B1E in embedded_BTE.split(1, dim=1)]
            return torch.cat(steps, dim=1)
        # Nothing that a step gives out is read by the next one: all cells run at once, then all steps look.
        out_BTD, _ = self.decoder(embedded_BTE, self._cells(state.hidden))
        return self._looked(out_BTD, out_BTD, memory)[0]

    def step(self, tokens_B1: torch.Tensor, memory: ReadSource, state: WrittenState) -> torch.Tensor:
        """Hidden states (B, 1, D) of the next position; ``state`` goes one position on."""
        return self._step(self.dropout(self.embedding(tokens_B1)), memory, state)

    def _step(self, x_B1E: torch.Tensor, memory: ReadSource, state: WrittenState) -> torch.Tensor:
        read = [x_B1E]
        context_B1M, weights_B1S = None, None
        if self.config.attention == "bahdanau":
            context_B1M, weights_B1S = self._context(state.hidden[0][-1][:, None], memory)
            read.append(context_B1M)
        if self.config.feeds_input:
            read.append(state.fed_BD[:, None])
        state.hidden = self._next_cells(torch.cat(read, dim=-1)[:, 0], state.hidden)
        out_B1D = state.hidden[0][-1][:, None]
        if context_B1M is None:
            given_B1D, weights_B1S = self._looked(out_B1D, out_B1D, memory)
        else:
            given_B1D = self._combined(out_B1D, context_B1M)
        state.fed_BD = given_B1D[:, 0]
        state.weights_BS = None if weights_B1S is None else weights_B1S[:, 0]
        return given_B1D

    def _next_cells(self, x_BE: torch.Tensor, hidden: _Hidden) -> _Hidden:
        """The cells one step on. torch's layers prepare their matrices at each call, which here is a call a token."""
        cells: list[_Hidden] = []
        for layer in range(self.config.layers):
            weights = [getattr(self.decoder, f"{name}_l{layer}") for name in _CELL_WEIGHTS]
            if layer and self.training:
                x_BE = functional.dropout(x_BE, self.config.dropout)
            if self.config.cell == "lstm":
                cells.append(torch.lstm_cell(x_BE, [part[layer] for part in hidden], *weights))
            else:
                cells.append((torch.gru_cell(x_BE, hidden[0][layer], *weights),))
            x_BE = cells[-1][0]
        return tuple(torch.stack(parts) for parts in zip(*cells, strict=True))

    def _cells(self, hidden: _Hidden) -> _Hidden | torch.Tensor:
        return hidden if self.config.cell == "lstm" else hidden[0]

    def _looked(
        self, out_BTD: torch.Tensor, queries_BTD: torch.Tensor, memory: ReadSource
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        if self.score is None:
            return self.dropout(out_BTD), None
        context_BTM, weights_BTS = self._context(queries_BTD, memory)
        return self._combined(out_BTD, context_BTM), weights_BTS

    def _context(self, queries_BTD: torch.Tensor, memory: ReadSource) -> tuple[torch.Tensor, torch.Tensor]:
        """What is attended to (B, T, M), and with which weights (B, T, S)."""
        assert self.score is not None
        scores_BTS = self.score(queries_BTD, memory.keys_BSD).masked_fill(~memory.mask_BS[:, None], -math.inf)
        weights_BTS = scores_BTS.softmax(dim=-1)
        return weights_BTS @ memory.states_BSM, weights_BTS

    def _combined(self, out_BTD: torch.Tensor, context_BTM: torch.Tensor) -> torch.Tensor:
        """Luong's attentional state: tanh of a matrix over the decoder's state and what was attended to."""
        assert self.combine is not None
        combined_BTD: torch.Tensor = self.dropout(torch.tanh(self.combine(torch.cat([out_BTD, context_BTM], dim=-1))))
        return combined_BTD

    def forward(self, source_BS: torch.Tensor, lengths_B: torch.Tensor, target_BT: torch.Tensor) -> torch.Tensor:
        """:meth:`encode`, then :meth:`decode`."""
        return self.decode(target_BT, self.encode(source_BS, lengths_B))

    @property
    def head_weight(self) -> torch.Tensor:
        """The (V, D) matrix that turns hidden states into logits."""
        return self.head.weight

    @property
    def head_bias(self) -> None:
        """The logits have none."""
        return None

    def logits(self, x_BTD: torch.Tensor) -> torch.Tensor:
        """Logits (…, V) of the next token from hidden states (…, D)."""
        return functional.linear(x_BTD, self.head_weight)
