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

from textpipe.nn.recurrent import State, StepCell, StepMatrix, read_both_ways
from textpipe.nn.shapes import Seq2SeqConfig

__all__ = ["AdditiveScore", "ProductScore", "ReadSource", "Seq2Seq", "Seq2SeqConfig", "WrittenState"]


@dataclass(frozen=True, slots=True, eq=False)
class ReadSource:
    """A source that was read: its states, what a score wants of them, which are padding, and the last of each."""

    lengths_B: torch.Tensor
    states_BSM: torch.Tensor
    keys_BSD: torch.Tensor
    mask_BS: torch.Tensor
    last: State  # (layers, B, D) each

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

    hidden: list[State]  # of each layer, (B, D) each
    fed_BD: torch.Tensor
    weights_BS: torch.Tensor | None = None

    def select(self, rows_B: torch.Tensor) -> None:
        """Go on with these sequences, in this order; one may be taken several times."""
        self.hidden = [tuple(part[rows_B] for part in state) for state in self.hidden]
        self.fed_BD = self.fed_BD[rows_B]
        if self.weights_BS is not None:
            self.weights_BS = self.weights_BS[rows_B]


@dataclass(frozen=True, slots=True, eq=False)
class _Loop:
    """What every step of the decoder multiplies by, and where it must not look."""

    cells: list[StepCell]
    keys: StepMatrix
    states: StepMatrix
    combine: StepMatrix | None
    hidden_B1S: torch.Tensor


class ProductScore(nn.Module):
    """Luong's dot (the states' product) and general (through a matrix)."""

    def __init__(self, width: int, memory_width: int, *, through_matrix: bool) -> None:
        super().__init__()
        self.key = nn.Linear(memory_width, width, bias=False) if through_matrix else nn.Identity()

    def forward(self, queries_BTD: torch.Tensor, keys_BSD: StepMatrix) -> torch.Tensor:
        """Scores (B, T, S)."""
        return keys_BSD(queries_BTD)


class AdditiveScore(nn.Module):
    """v · tanh(W query + U key): Bahdanau's, and Luong's concat, whose one matrix over both is W and U side by side."""

    def __init__(self, width: int, memory_width: int) -> None:
        super().__init__()
        self.key = nn.Linear(memory_width, width, bias=False)
        self.query = nn.Linear(width, width, bias=False)
        self.sum = nn.Linear(width, 1, bias=False)

    def forward(self, queries_BTD: torch.Tensor, keys_BSD: StepMatrix) -> torch.Tensor:
        """Scores (B, T, S)."""
        bent_BTSD = torch.tanh(self.query(queries_BTD)[:, :, None] + keys_BSD.weight_OI[:, None])
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
        mask_BS = torch.arange(source_BS.shape[1], device=lengths_B.device)[None] < lengths_B[:, None]
        states_BSM, last = read_both_ways(self.encoder, x_BSE, mask_BS)
        keys_BSD = states_BSM if self.score is None else self.score.key(states_BSM)
        return ReadSource(lengths_B, states_BSM, keys_BSD, mask_BS, tuple(self._bridged(part) for part in last))

    def _bridged(self, last_LBM: torch.Tensor) -> torch.Tensor:
        """The encoder's last states, both ways side by side, as the decoder's first, (layers, B, D)."""
        ways = 2 if self.config.bidirectional else 1
        sides = last_LBM.view(self.config.layers, ways, *last_LBM.shape[1:]).transpose(1, 2).flatten(2)
        return torch.tanh(self.bridge(sides))

    def start(self, memory: ReadSource) -> WrittenState:
        """The decoder before its first token."""
        batch = len(memory.lengths_B)
        hidden = list(zip(*(part.unbind() for part in memory.last), strict=True))
        return WrittenState(hidden, memory.states_BSM.new_zeros(batch, self.config.width))

    def decode(self, target_BT: torch.Tensor, memory: ReadSource) -> torch.Tensor:
        """Hidden states (B, T, D) of whole targets."""
        config, loop = self.config, self._loop(memory)
        embedded_BTE = self.dropout(self.embedding(target_BT))
        if config.attention == "bahdanau" or config.feeds_input:
            state = self.start(memory)
            given_TBG = loop.cells[0].before(embedded_BTE.transpose(0, 1))
            return torch.stack([self._step(given_BG, loop, state) for given_BG in given_TBG.unbind()], dim=1)
        # Nothing that a step gives out is read by the next one: all cells run at once, then all steps look.
        out_BTD, _ = self.decoder(embedded_BTE, memory.last if config.cell == "lstm" else memory.last[0])
        return self._looked(out_BTD, loop)[0]

    def step(self, tokens_B1: torch.Tensor, memory: ReadSource, state: WrittenState) -> torch.Tensor:
        """Hidden states (B, 1, D) of the next position; ``state`` goes one position on."""
        loop = self._loop(memory)
        given_BG = loop.cells[0].before(self.dropout(self.embedding(tokens_B1[:, 0])))
        return self._step(given_BG, loop, state)[:, None]

    def _loop(self, memory: ReadSource) -> _Loop:
        embedding, layers = self.config.embedding, range(self.config.layers)
        return _Loop(
            [StepCell(self.decoder, layer, num_apart=0 if layer else embedding) for layer in layers],
            StepMatrix(memory.keys_BSD),
            StepMatrix(memory.states_BSM.mT),
            None if self.combine is None else StepMatrix(self.combine.weight),
            ~memory.mask_BS[:, None],
        )

    def _step(self, given_BG: torch.Tensor, loop: _Loop, state: WrittenState) -> torch.Tensor:
        read, context_B1M, weights_B1S = [], None, None
        if self.config.attention == "bahdanau":
            context_B1M, weights_B1S = self._context(state.hidden[-1][0][:, None], loop)
            read.append(context_B1M[:, 0])
        if self.config.feeds_input:
            read.append(state.fed_BD)
        out_B1D = self._next_cells(given_BG, torch.cat(read, dim=-1) if read else None, loop, state)[:, None]
        if context_B1M is None:
            given_B1D, weights_B1S = self._looked(out_B1D, loop)
        else:
            given_B1D = self._combined(out_B1D, context_B1M, loop)
        state.fed_BD = given_B1D[:, 0]
        state.weights_BS = None if weights_B1S is None else weights_B1S[:, 0]
        return state.fed_BD

    def _next_cells(
        self, given_BG: torch.Tensor, read_BI: torch.Tensor | None, loop: _Loop, state: WrittenState
    ) -> torch.Tensor:
        """The cells one step on; returns what the last of them gives out, (B, D)."""
        before, state.hidden = state.hidden, [loop.cells[0](read_BI, state.hidden[0], given_BG)]
        for cell, held in zip(loop.cells[1:], before[1:], strict=True):
            x_BD = functional.dropout(state.hidden[-1][0], self.config.dropout, self.training)
            state.hidden.append(cell(x_BD, held))
        return state.hidden[-1][0]

    def _looked(self, out_BTD: torch.Tensor, loop: _Loop) -> tuple[torch.Tensor, torch.Tensor | None]:
        if self.score is None:
            return self.dropout(out_BTD), None
        context_BTM, weights_BTS = self._context(out_BTD, loop)
        return self._combined(out_BTD, context_BTM, loop), weights_BTS

    def _context(self, queries_BTD: torch.Tensor, loop: _Loop) -> tuple[torch.Tensor, torch.Tensor]:
        """What is attended to (B, T, M), and with which weights (B, T, S)."""
        assert self.score is not None
        scores_BTS = self.score(queries_BTD, loop.keys).masked_fill(loop.hidden_B1S, -math.inf)
        weights_BTS = scores_BTS.softmax(dim=-1)
        return loop.states(weights_BTS), weights_BTS

    def _combined(self, out_BTD: torch.Tensor, context_BTM: torch.Tensor, loop: _Loop) -> torch.Tensor:
        """Luong's attentional state: tanh of a matrix over the decoder's state and what was attended to."""
        assert loop.combine is not None
        return self.dropout(torch.tanh(loop.combine(torch.cat([out_BTD, context_BTM], dim=-1))))  # type: ignore[no-any-return]

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
