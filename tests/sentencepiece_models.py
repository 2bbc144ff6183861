"""Small models that sentencepiece trains for the tests, each of another make; Korean first."""

from __future__ import annotations

import functools
import io

import sentencepiece
from tokenizer_samples import ALPHABET, KOREAN_LINES

LINES = [
    *KOREAN_LINES,
    "영화를 보고 나서 한참을 울었다. 영화 음악도 좋았고, 배우들의 연기도 좋았다!",
    "이 영화는 정말 재미없다... 시간이 아깝다ㅡㅡ 별점 1점도 아까운 영화",
    "가각간갇갈감갑값갓강개객거걱건걸검겁것게겨격견결경계고곡곤골공과관광교구국군굴",
    "The model was trained on text, and the text was trained on the model: 12,345 times.",
    "ＡＢＣ ﬁ ① ㎏ ｱｲｳ café naïve déjà-vu \u1112\u1161\u11ab\u1100\u1173\u11af 中文 日本語 😀😀",
]

UNIGRAM: dict[str, object] = {"model_type": "unigram", "vocab_size": 300}
BPE: dict[str, object] = {"model_type": "bpe", "vocab_size": 300}
EXTRA = {"user_defined_symbols": ["<sep>", "ㅋㅋ", "▁영화", "a b"], "control_symbols": ["<ctl>"]}
KEPT = {"user_defined_symbols": ["<sep>", "ㅋㅋ", "▁영화"], "control_symbols": ["<ctl>"]}
BYTES = {"byte_fallback": True, "character_coverage": 0.98, "vocab_size": 600}
KINDS: dict[str, dict[str, object]] = {
    "unigram": UNIGRAM,
    "unigram of bytes": {**UNIGRAM, **BYTES, **EXTRA},
    "unigram with suffixes": {**UNIGRAM, "treat_whitespace_as_suffix": True, "normalization_rule_name": "nmt_nfkc_cf"},
    "unigram across spaces": {**UNIGRAM, "split_by_whitespace": False, "normalization_rule_name": "nfkc"},
    "unigram of spaces": {
        **UNIGRAM, "allow_whitespace_only_pieces": True, "remove_extra_whitespaces": False, "add_dummy_prefix": False,
    },
    "bpe": BPE,
    "bpe of bytes": {**BPE, **BYTES, **EXTRA, "split_digits": True, "normalization_rule_name": "identity",
                     "remove_extra_whitespaces": False},
    "bpe with suffixes": {**BPE, "treat_whitespace_as_suffix": True, "normalization_rule_name": "nfkc_cf"},
    "bpe across spaces": {**BPE, "split_by_whitespace": False},
    "unigram of words and bytes": {**UNIGRAM, **BYTES, **KEPT, "normalization_rule_name": "nmt_nfkc_cf"},
    "bpe of spaces and bytes": {**BPE, **BYTES, **KEPT, "split_digits": True, "allow_whitespace_only_pieces": True,
                                "remove_extra_whitespaces": False},
    "words": {"model_type": "word", "vocab_size": 60},
    "characters": {"model_type": "char", "vocab_size": 200, "character_coverage": 0.98, **EXTRA},
}  # fmt: skip


@functools.cache
def model_bytes(kind: str) -> bytes:
    """The .model file of one kind."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES * 4), model_writer=written, num_threads=1, minloglevel=2, hard_vocab_limit=False,
        unk_surface=" ?? ", **KINDS[kind],
    )  # fmt: skip
    return written.getvalue()


@functools.cache
def processor(kind: str) -> sentencepiece.SentencePieceProcessor:
    """The model of one kind as sentencepiece itself runs it."""
    return sentencepiece.SentencePieceProcessor(model_proto=model_bytes(kind))


SPACED_ALPHABET = ALPHABET + "▁▁    영화를 보고ㅋㅋ 좋았다"
