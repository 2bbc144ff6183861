"""What BERT is fine-tuned for: a label or number for a text or a pair, a tag for each token, an answer's span.

What enters: token ids, lengths and segments, as for :class:`~textpipe.nn.bert.BERT`. What leaves: logits, and the loss
as (sum, number of targets). With the same weights logits, losses and gradients are those of ``transformers``'
``BertForSequenceClassification``, ``BertForTokenClassification`` and ``BertForQuestionAnswering``, with one difference:
an answer never begins or ends in padding, so that how a batch is padded changes no loss.

Parameters below the heads have the names they have in BERT; :func:`copy_encoder` starts a model from a pretrained one.

Axes: B sequence, T position, D model width, L label.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from textpipe.data.batches import IGNORED
from textpipe.errors import ConfigError, StateError
from textpipe.nn.bert import BertConfig, BertEncoder

__all__ = ["SequenceClassifier", "SpanFinder", "TokenClassifier", "copy_encoder"]

Loss = tuple[torch.Tensor, torch.Tensor]


class _Headed(BertEncoder):
    """An encoder with one head on its states."""

    def forward(
        self,
        tokens_BT: torch.Tensor,
        *,
        lengths_B: torch.Tensor | None = None,
        segments_BT: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The logits of :meth:`head`; arguments as :meth:`BertEncoder.forward`."""
        return self.head(super().forward(tokens_BT, lengths_B=lengths_B, segments_BT=segments_BT), lengths_B)

    def head(self, states_BTD: torch.Tensor, lengths_B: torch.Tensor | None) -> torch.Tensor:
        """Logits of hidden states (B, T, D)."""
        raise NotImplementedError


class SequenceClassifier(_Headed):
    """One label for a text or a pair of texts; with ``num_labels=1`` one number, such as how alike they are.

    Parameters
    ----------
    config : the encoder's shape; it always has a pooler here.
    num_labels : how many labels there are.
    seed : of the first weights.

    Examples
    --------
    >>> shape = BertConfig(vocab_size=100, context=8, layers=1, heads=2, width=16)
    >>> SequenceClassifier(shape, num_labels=3)(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3])
    """

    def __init__(self, config: BertConfig, *, num_labels: int, seed: int = 0) -> None:
        super().__init__(config)
        self.pooler = nn.Linear(config.width, config.width)
        self.classifier = _new_head(config, num_labels)
        self._draw_weights(seed)

    def head(self, states_BTD: torch.Tensor, lengths_B: torch.Tensor | None) -> torch.Tensor:
        """Logits (B, L)."""
        pooled_BD = torch.tanh(self.pooler(states_BTD[:, 0]))
        logits_BL: torch.Tensor = self.classifier(self.dropout(pooled_BD))
        return logits_BL

    @staticmethod
    def loss(logits_BL: torch.Tensor, targets_B: torch.Tensor) -> Loss:
        """Summed cross-entropy in nats; for one number the summed square of the difference, and its count."""
        if logits_BL.shape[1] == 1:
            difference_B = logits_BL[:, 0].float() - targets_B.float()
            return difference_B.square().sum(), torch.tensor(len(targets_B), device=targets_B.device)
        return _cross_entropy(logits_BL, targets_B)


class TokenClassifier(_Headed):
    """A tag for each token.

    Examples
    --------
    >>> shape = BertConfig(vocab_size=100, context=8, layers=1, heads=2, width=16)
    >>> TokenClassifier(shape, num_labels=5)(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 5])
    """

    def __init__(self, config: BertConfig, *, num_labels: int, seed: int = 0) -> None:
        super().__init__(config)
        self.classifier = _new_head(config, num_labels)
        self._draw_weights(seed)

    def head(self, states_BTD: torch.Tensor, lengths_B: torch.Tensor | None) -> torch.Tensor:
        """Logits (B, T, L)."""
        logits_BTL: torch.Tensor = self.classifier(self.dropout(states_BTD))
        return logits_BTL

    @staticmethod
    def loss(logits_BTL: torch.Tensor, targets_BT: torch.Tensor) -> Loss:
        """Summed cross-entropy in nats over the targets that are not ``IGNORED``, and their number."""
        return _cross_entropy(logits_BTL.flatten(0, 1), targets_BT.flatten())


class SpanFinder(_Headed):
    """Where an answer begins and ends in a text.

    Examples
    --------
    >>> shape = BertConfig(vocab_size=100, context=8, layers=1, heads=2, width=16)
    >>> SpanFinder(shape)(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 2])
    """

    def __init__(self, config: BertConfig, *, seed: int = 0) -> None:
        super().__init__(config)
        self.ends = _new_head(config, 2)
        self._draw_weights(seed)

    def head(self, states_BTD: torch.Tensor, lengths_B: torch.Tensor | None) -> torch.Tensor:
        """Logits (B, T, 2) that a position is an answer's first and its last; of padding minus infinity."""
        logits_BT2: torch.Tensor = self.ends(states_BTD)
        if lengths_B is None:
            return logits_BT2
        padding_BT = torch.arange(logits_BT2.shape[1], device=lengths_B.device) >= lengths_B[:, None]
        return logits_BT2.masked_fill(padding_BT[..., None], float("-inf"))

    @staticmethod
    def loss(logits_BT2: torch.Tensor, spans_B2: torch.Tensor) -> Loss:
        """Mean cross-entropy of an answer's first and last position in nats, summed over answers, and their number.

        ``spans_B2`` are both positions, the last one included, or ``IGNORED`` twice.
        """
        known_B = (spans_B2 != IGNORED).all(dim=1)
        logits_N2T, targets_N2 = logits_BT2[known_B].transpose(1, 2), spans_B2[known_B]
        total = functional.cross_entropy(logits_N2T.flatten(0, 1).float(), targets_N2.flatten(), reduction="sum")
        return total / 2, known_B.sum()


def _new_head(config: BertConfig, num_labels: int) -> nn.Linear:
    if num_labels < 1:
        raise ConfigError(f"num_labels {num_labels} is too small", allowed="1 or more")
    return nn.Linear(config.width, num_labels)


def _cross_entropy(logits_NL: torch.Tensor, targets_N: torch.Tensor) -> Loss:
    total = functional.cross_entropy(logits_NL.float(), targets_N, ignore_index=IGNORED, reduction="sum")
    return total, (targets_N != IGNORED).sum()


@torch.no_grad()
def copy_encoder(pretrained: BertEncoder, model: BertEncoder) -> list[str]:
    """Start ``model`` from the weights of a pretrained one; what it alone has keeps its first weights.

    Returns
    -------
    The names of the parameters that were not in ``pretrained``: the new head, and the pooler of a BERT without one.

    Raises
    ------
    StateError
        where the two have other shapes.

    Examples
    --------
    >>> from textpipe.nn.bert import BERT
    >>> shape = BertConfig(vocab_size=100, context=8, layers=1, heads=2, width=16)
    >>> copy_encoder(BERT(shape), TokenClassifier(shape, num_labels=5))
    ['classifier.weight', 'classifier.bias']
    """
    source = dict(pretrained.named_parameters())
    kept = []
    for name, weight in model.named_parameters():
        if name in source and source[name].shape != weight.shape:
            raise StateError(
                f"{name} has the shape {list(source[name].shape)} in the pretrained model",
                allowed=f"{list(weight.shape)}, as here",
                hint="make the model with the pretrained one's config",
            )
    for name, weight in model.named_parameters():
        if name in source:
            weight.copy_(source[name])
        else:
            kept.append(name)
    return kept
