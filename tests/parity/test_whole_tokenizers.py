"""Tokenizers in the manner of BERT, T5, Llama and RoBERTa: every field, and the text back, as in `tokenizers`."""

from __future__ import annotations

import functools

import pytest
import tokenizers as oracle
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import ALPHABET, KOREAN_LINES, corpus, texts

from textpipe import Tokenizer

norm, pre, post, dec = oracle.normalizers, oracle.pre_tokenizers, oracle.processors, oracle.decoders
FIELDS = (
    "ids", "tokens", "offsets", "word_ids", "type_ids", "special_tokens_mask", "attention_mask", "sequence_ids",
)  # fmt: skip
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert(template: bool, **steps: bool) -> oracle.Tokenizer:
    made = oracle.Tokenizer(oracle.models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    made.normalizer, made.pre_tokenizer = norm.BertNormalizer(**steps), pre.BertPreTokenizer()
    trainer = oracle.trainers.WordPieceTrainer(vocab_size=400, special_tokens=SPECIAL, show_progress=False)
    made.train_from_iterator([*KOREAN_LINES * 3, ALPHABET], trainer)
    if template:
        ends = [("[CLS]", 2), ("[SEP]", 3)]
        made.post_processor = post.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", ends)
    else:
        made.post_processor = post.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.decoder = dec.WordPiece()
    return made


def t5(scheme: str) -> oracle.Tokenizer:
    made = oracle.Tokenizer(oracle.models.BPE(unk_token="<unk>", fuse_unk=True))
    made.normalizer = norm.Sequence([norm.Nmt(), norm.NFKC(), norm.Replace(oracle.Regex(" {2,}"), " "), norm.Strip()])
    made.pre_tokenizer, made.decoder = pre.Metaspace("▁", scheme), dec.Metaspace("▁", scheme)
    trainer = oracle.trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "</s>"], show_progress=False)
    made.train_from_iterator(KOREAN_LINES * 3, trainer)
    made.post_processor = post.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 1)])
    return made


def llama() -> oracle.Tokenizer:
    made = oracle.Tokenizer(oracle.models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    made.normalizer = norm.Sequence([norm.Prepend("▁"), norm.Replace(" ", "▁")])
    made.decoder = dec.Sequence([dec.Replace("▁", " "), dec.ByteFallback(), dec.Fuse(), dec.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = oracle.trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False)
    made.train_from_iterator([line.replace(" ", "▁") for line in KOREAN_LINES * 3], trainer)
    made.post_processor = post.TemplateProcessing("<s> $A", "<s> $A <s> $B", [("<s>", 1)])
    return made


def roberta() -> oracle.Tokenizer:
    made = oracle.Tokenizer(oracle.models.BPE())
    made.pre_tokenizer, made.decoder = pre.ByteLevel(add_prefix_space=False), dec.ByteLevel()
    trainer = oracle.trainers.BpeTrainer(
        vocab_size=500, special_tokens=["<s>", "</s>"], initial_alphabet=pre.ByteLevel.alphabet(), show_progress=False
    )
    made.train_from_iterator(KOREAN_LINES * 3, trainer)
    made.post_processor = post.RobertaProcessing(("</s>", 1), ("<s>", 0))
    return made


def words() -> oracle.Tokenizer:
    made = oracle.Tokenizer(oracle.models.WordLevel(unk_token="[UNK]"))
    made.normalizer = norm.Sequence([norm.NFD(), norm.StripAccents(), norm.NFC()])
    made.pre_tokenizer = pre.Sequence([pre.UnicodeScripts(), pre.Punctuation("contiguous"), pre.WhitespaceSplit()])
    made.train_from_iterator(
        KOREAN_LINES, oracle.trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False)
    )
    return made


KINDS = {
    "bert uncased": lambda: bert(True),
    "bert cased": lambda: bert(False, lowercase=False),
    "t5": lambda: t5("always"),
    "t5 first": lambda: t5("first"),
    "llama": llama,
    "roberta": roberta,
    "words": words,
}


@functools.cache
def both(kind: str) -> tuple[Tokenizer, oracle.Tokenizer]:
    theirs = KINDS[kind]()
    theirs.add_tokens([oracle.AddedToken("한글 ", rstrip=True), oracle.AddedToken("é", single_word=True)])
    return Tokenizer.from_str(theirs.to_str()), theirs


@pytest.mark.parametrize("kind", KINDS)
@given(text=texts | st.sampled_from(KOREAN_LINES), pair=st.none() | texts, special=st.booleans())
def test_a_whole_tokenizer_encodes_and_decodes_as_in_tokenizers(kind, text, pair, special):
    ours, theirs = both(kind)
    found = ours.encode(text, pair, add_special_tokens=special)
    expected = theirs.encode(text, pair, add_special_tokens=special)
    assert [getattr(found, field) for field in FIELDS] == [getattr(expected, field) for field in FIELDS]
    for skip in (False, True):
        assert ours.decode(found.ids, skip) == theirs.decode(expected.ids, skip_special_tokens=skip)


@pytest.mark.parametrize("kind", KINDS)
@given(words=st.lists(texts, max_size=4))
def test_words_cut_beforehand_are_encoded_as_in_tokenizers(kind, words):
    ours, theirs = both(kind)
    found, expected = ours.encode(words, is_pretokenized=True), theirs.encode(words, is_pretokenized=True)
    assert [getattr(found, field) for field in FIELDS] == [getattr(expected, field) for field in FIELDS]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pretty", [False, True])
def test_a_whole_tokenizer_is_written_as_tokenizers_writes_it(kind, pretty):
    ours, theirs = both(kind)
    assert ours.to_str(pretty) == theirs.to_str(pretty=pretty)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["ko-reviews.txt.zst", "ko-docs.txt.zst", "en-docs.txt.zst"])
def test_real_text_is_encoded_as_in_tokenizers(kind, name):
    ours, theirs = both(kind)
    text = corpus(name, 40_000)
    documents = [text[start : start + 1000] for start in range(0, len(text), 1000)]
    ids, offsets = ours.encode_to_numpy(documents)
    for number, expected in enumerate(theirs.encode_batch(documents)):
        assert ids[offsets[number] : offsets[number + 1]].tolist() == expected.ids
        if number % 5 == 0:
            found = ours.encode(documents[number])
            assert [getattr(found, field) for field in FIELDS] == [getattr(expected, field) for field in FIELDS]
            assert ours.decode(found.ids) == theirs.decode(expected.ids)
