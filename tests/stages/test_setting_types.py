"""A setting has the type it is declared with, in every stage, when it is made and when it is changed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from textpipe import decoders, models, normalizers, pre_tokenizers, processors, trainers
from textpipe.errors import WrongTypeError

WRONG = [
    (models.BPE, {"unk_token": 3}),
    (models.BPE, {"byte_fallback": "yes"}),
    (models.WordPiece, {"max_input_chars_per_word": 1.5}),
    (models.Unigram, {"alpha": "0.1"}),
    (normalizers.Strip, {"left": 3}),
    (normalizers.Prepend, {"prepend": b"x"}),
    (normalizers.BertNormalizer, {"strip_accents": 0}),
    (pre_tokenizers.Digits, {"individual_digits": 3}),
    (pre_tokenizers.ByteLevel, {"use_regex": None}),
    (pre_tokenizers.FixedLength, {"length": True}),
    (processors.ByteLevel, {"trim_offsets": "no"}),
    (decoders.WordPiece, {"prefix": 3}),
    (decoders.Strip, {"left": "1"}),
    (decoders.CTC, {"cleanup": 1}),
    (trainers.BpeTrainer, {"vocab_size": "1000"}),
    (trainers.BpeTrainer, {"special_tokens": [3]}),
    (trainers.BpeTrainer, {"special_tokens": "<s>"}),
    (trainers.WordPieceTrainer, {"initial_alphabet": [3]}),
    (trainers.UnigramTrainer, {"shrinking_factor": "0.75"}),
]


@pytest.mark.parametrize(("kind", "settings"), WRONG, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_setting_of_another_type_is_refused_by_its_name(kind, settings):
    with pytest.raises(WrongTypeError) as refusal:
        kind(**settings)
    (name,) = settings
    shown = "start" if kind is decoders.Strip else name  # the attribute it becomes
    assert shown.removesuffix("s").replace("_", " ") in str(refusal.value).replace("_", " ")  # "special token 0", too


def test_a_change_to_another_type_is_refused_and_leaves_the_old_value():
    stage = pre_tokenizers.Digits(individual_digits=True)
    with pytest.raises(WrongTypeError, match=r"individual_digits of Digits is 3 \(allowed: bool\)"):
        stage.individual_digits = 3
    assert stage == pre_tokenizers.Digits(individual_digits=True)


def test_numbers_of_numpy_become_pythons_own_which_a_file_can_hold():
    model = models.WordPiece({"[UNK]": np.int64(0)}, max_input_chars_per_word=np.int32(7))
    assert json.dumps(model.to_dict()) == json.dumps(models.WordPiece({"[UNK]": 0}, None, 7).to_dict())
    assert type(models.BPE(dropout=np.float32(0.5)).dropout) is float
    assert normalizers.Strip(left=np.bool_(False)).left is False
    assert type(trainers.BpeTrainer(vocab_size=np.int64(300)).vocab_size) is int
