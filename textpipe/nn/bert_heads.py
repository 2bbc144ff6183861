"""What BERT is fine-tuned for: a label or number for a text or a pair, a tag for each token, an answer's span.

What enters: token ids, lengths and segments, as for :class:`~textpipe.nn.bert.BERT`. What leaves: logits, and the loss
as (sum, number of targets). With the same weights logits, losses and gradients are those of ``transformers``'
``BertForSequenceClassification``, ``BertForTokenClassification`` and ``BertForQuestionAnswering``, with one difference:
an answer never begins or ends in padding, so that how a batch is padded changes no loss.

Parameters below the heads have the names they have in BERT; :func:`copy_encoder` starts a model from a pretrained one,
and :func:`copy_head` takes over what a fine-tuned one has learnt of the same labels.

Axes: B sequence, T position, D model width, L label.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional

from textpipe.data.batches import IGNORED
from textpipe.errors import StateError
from textpipe.nn.bert import BertEncoder
from textpipe.nn.shapes import (
    ClassifierConfig,
    EncoderConfig,
    LabelsConfig,
    RegressorConfig,
    SpanFinderConfig,
    TaggerConfig,
)

__all__ = ["SequenceClassifier", "SequenceRegressor", "SpanFinder", "TokenClassifier", "copy_encoder", "copy_head"]

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
    """One label for a text or a pair of texts.

    Parameters
    ----------
    config : the shape, with the labels.
    seed : of the first weights.

    Examples
    --------
    >>> shape = ClassifierConfig(vocab_size=100, context=8, layers=1, heads=2, width=16, labels=("A", "B", "C"))
    >>> SequenceClassifier(shape)(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3])
    """

    def __init__(self, config: ClassifierConfig | RegressorConfig, *, seed: int = 0) -> None:
        super().__init__(config)
        self.pooler = nn.Linear(config.width, config.width)
        self.classifier = nn.Linear(config.width, len(config.labels) if isinstance(config, ClassifierConfig) else 1)
        self._draw_weights(seed)

    def head(self, states_BTD: torch.Tensor, lengths_B: torch.Tensor | None) -> torch.Tensor:
        """Logits (B, L)."""
        pooled_BD = torch.tanh(self.pooler(states_BTD[:, 0]))
        logits_BL: torch.Tensor = self.classifier(self.dropout(pooled_BD))
        return logits_BL

    @staticmethod
    def loss(logits_BL: torch.Tensor, targets_B: torch.Tensor) -> Loss:
        """Summed cross-entropy in nats, and the number of targets."""
        return _cross_entropy(logits_BL, targets_B)


class SequenceRegressor(SequenceClassifier):
    """One number for a text or a pair of texts, such as how alike they are.

    Examples
    --------
    >>> shape = RegressorConfig(vocab_size=100, context=8, layers=1, heads=2, width=16, mean=2.5)
    >>> SequenceRegressor(shape)(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 1])
    """

    config: RegressorConfig

    def head(self, states_BTD: torch.Tensor, lengths_B: torch.Tensor | None) -> torch.Tensor:
        """The number of each (B, 1)."""
        return self.config.mean + self.config.spread * super().head(states_BTD, lengths_B)

    @staticmethod
    def loss(logits_BL: torch.Tensor, targets_B: torch.Tensor) -> Loss:
        """Summed square of the difference, and the number of targets."""
        difference_B = logits_BL[:, 0].float() - targets_B.float()
        return difference_B.square().sum(), torch.tensor(len(targets_B), device=targets_B.device)


class TokenClassifier(_Headed):
    """A tag for each token.

    Examples
    --------
    >>> shape = TaggerConfig(vocab_size=100, context=8, layers=1, heads=2, width=16, labels=("O", "B-PS", "I-PS"))
    >>> TokenClassifier(shape)(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 3])
    """

    def __init__(self, config: TaggerConfig, *, seed: int = 0) -> None:
        super().__init__(config)
        self.classifier = nn.Linear(config.width, len(config.labels))
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
    >>> shape = SpanFinderConfig(vocab_size=100, context=8, layers=1, heads=2, width=16)
    >>> SpanFinder(shape)(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 2])
    """

    def __init__(self, config: SpanFinderConfig, *, seed: int = 0) -> None:
        super().__init__(config)
        self.ends = nn.Linear(config.width, 2)
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


def _cross_entropy(logits_NL: torch.Tensor, targets_N: torch.Tensor) -> Loss:
    total = functional.cross_entropy(logits_NL.float(), targets_N, ignore_index=IGNORED, reduction="sum")
    return total, (targets_N != IGNORED).sum()


@torch.no_grad()
def copy_encoder(pretrained: Mapping[str, torch.Tensor], model: BertEncoder) -> list[str]:
    """Start ``model`` from pretrained weights, by their names; what it alone has keeps its first weights.

    Returns
    -------
    The names of the parameters that were not in ``pretrained``: the new head, and the pooler of a BERT without one.

    Raises
    ------
    StateError
        where the two have other shapes, or a part of the encoder is missing.

    Examples
    --------
    >>> from textpipe.nn.bert import BERT, BertConfig
    >>> sizes = {"vocab_size": 100, "context": 8, "layers": 1, "heads": 2, "width": 16}
    >>> model = TokenClassifier(TaggerConfig(**sizes, labels=("O", "B-PS", "I-PS")))
    >>> copy_encoder(BERT(BertConfig(**sizes)).state_dict(), model)
    ['classifier.weight', 'classifier.bias']
    """
    kept = []
    for name, weight in model.named_parameters():
        found = pretrained.get(name)
        if found is None and not name.startswith(_HEADS):
            raise StateError(f"the pretrained model has no {name}", allowed="embeddings and blocks of a BERT")
        if found is not None and found.shape != weight.shape:
            raise StateError(
                f"{name} has the shape {list(found.shape)} in the pretrained model",
                allowed=f"{list(weight.shape)}, as here",
                hint="make the model with the pretrained one's config",
            )
    for name, weight in model.named_parameters():
        if name in pretrained:
            weight.copy_(pretrained[name])
        else:
            kept.append(name)
    return kept


_HEADS = ("pooler.", "classifier.", "ends.")


@torch.no_grad()
def copy_head(weights: Mapping[str, torch.Tensor], shape: EncoderConfig, model: BertEncoder) -> None:
    """Put the head of a fine-tuned model on ``model``, which then says of a text what that one says.

    Labels are found by their names, in whatever order either has them; those the other does not know keep their first
    weights. A number is told in the unit of the other, whatever mean and spread the examples of ``model`` have.

    Parameters
    ----------
    weights, shape : of the fine-tuned model.
    model : of the same kind, else nothing is done; its pooler is copied with the encoder.
    """
    config, head = model.config, "ends" if isinstance(shape, SpanFinderConfig) else "classifier"
    if type(config) is not type(shape):
        return
    ours = dict(model.named_parameters())
    for kind in ("weight", "bias"):
        learnt, into = weights[f"{head}.{kind}"], ours[f"{head}.{kind}"]
        if isinstance(shape, LabelsConfig) and isinstance(config, LabelsConfig):
            for number, label in enumerate(config.labels):
                if label in shape.labels:
                    into[number] = learnt[shape.labels.index(label)]
        elif isinstance(shape, RegressorConfig) and isinstance(config, RegressorConfig):
            shift = shape.mean - config.mean if kind == "bias" else 0.0
            into.copy_((learnt * shape.spread + shift) / config.spread)
        else:
            into.copy_(learnt)
