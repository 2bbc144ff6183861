"""Whole tokenizers of the well-known families, around a bare vocabulary.

What enters: pieces, merges, and the few settings a family leaves open. What leaves: every part, as `transformers`
puts it together for that family: BERT, GPT-2, RoBERTa, CLIP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textpipe.decoders import ByteLevel as ByteLevelDecoder
from textpipe.decoders import Decoder
from textpipe.decoders import WordPiece as WordPieceDecoder
from textpipe.errors import InputError
from textpipe.formats.parts import Parts
from textpipe.models import BPE, Model, WordPiece
from textpipe.models.added_tokens import AddedToken, AddedVocabulary
from textpipe.normalizers import NFC, BertNormalizer, Lowercase, Normalizer, Replace, Sequence
from textpipe.pre_tokenizers import BertPreTokenizer, ByteLevel, PreTokenizer, Split
from textpipe.pre_tokenizers import Sequence as PreTokenizerSequence
from textpipe.processors import PostProcessor, RobertaProcessing, TemplateProcessing
from textpipe.stages.pattern import Regex

__all__ = ["bert", "byte_level_family", "clip", "gpt2", "roberta"]

Merges = Iterable[tuple[str, str]]

_CLIP_PATTERN = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def bert(
    vocab: Mapping[str, int],
    *,
    lowercase: bool | None = None,
    strip_accents: bool | None = None,
    chinese_characters: bool = True,
) -> Parts:
    """BERT and its kin: WordPiece over words and punctuation, ``[CLS] … [SEP]``.

    Without ``lowercase`` the vocabulary decides: one with a piece that lower-casing and the stripping of accents
    would change, such as a capital letter or a whole Hangul syllable, is of a model that keeps case.
    """
    unk = next((piece for piece in ("[UNK]", "<unk>") if piece in vocab), None)
    if unk is None:
        raise InputError("there is no piece [UNK] in this vocabulary", hint="it is none of BERT's kind")
    if lowercase is None:
        lowercase = not _keeps_case(vocab)
    model = WordPiece(vocab, unk_token=unk)
    processor = None
    if "[CLS]" in vocab and "[SEP]" in vocab:
        ends = [(piece, vocab[piece]) for piece in ("[CLS]", "[SEP]")]
        processor = TemplateProcessing("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", ends)
    return _whole(
        model,
        specials=("[PAD]", unk, "[CLS]", "[SEP]", "[MASK]"),
        normalizer=BertNormalizer(True, chinese_characters, strip_accents, lowercase),
        pre_tokenizer=BertPreTokenizer(),
        post_processor=processor,
        decoder=WordPieceDecoder("##"),
    )


def _keeps_case(vocab: Mapping[str, int]) -> bool:
    uncased = BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=True)
    pieces = [piece for piece in vocab if not (piece.startswith("[") and piece.endswith("]"))]
    text = "\n".join(piece for piece in pieces if not piece.isascii() or not piece.islower())
    return bool(uncased.normalize_str(text) != text)


def gpt2(vocab: Mapping[str, int], merges: Merges, *, add_prefix_space: bool = False) -> Parts:
    """GPT-2: byte-level BPE; ``<|endoftext|>`` is found in text and put nowhere."""
    return _whole(
        BPE(vocab, merges),
        specials=("<|endoftext|>",),
        pre_tokenizer=ByteLevel(add_prefix_space=add_prefix_space),
        decoder=ByteLevelDecoder(),
    )


def roberta(vocab: Mapping[str, int], merges: Merges, *, add_prefix_space: bool = False) -> Parts:
    """RoBERTa: GPT-2's model between ``<s>`` and ``</s>``."""
    sep, cls = (("</s>", vocab["</s>"]), ("<s>", vocab["<s>"]))
    return _whole(
        BPE(vocab, merges),
        specials=("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
        pre_tokenizer=ByteLevel(add_prefix_space=add_prefix_space),
        post_processor=RobertaProcessing(sep, cls, trim_offsets=True, add_prefix_space=add_prefix_space),
        decoder=ByteLevelDecoder(),
        lstrip="<mask>",
    )


def clip(vocab: Mapping[str, int], merges: Merges) -> Parts:
    """CLIP: lower-cased byte-level BPE whose pieces at the end of a word end in ``</w>``."""
    begin, end = "<|startoftext|>", "<|endoftext|>"
    for piece in (begin, end):
        if piece not in vocab:
            raise InputError(f'pieces end in "</w>", and there is no "{piece}"', hint="it is none of CLIP's kind")
    return _whole(
        BPE(vocab, merges, unk_token=end, end_of_word_suffix="</w>"),
        specials=(begin, end),
        normalizer=Sequence([NFC(), Replace(Regex(r"\s+"), " "), Lowercase()]),
        pre_tokenizer=PreTokenizerSequence(
            [Split(Regex(_CLIP_PATTERN), "removed", invert=True), ByteLevel(add_prefix_space=False)]
        ),
        post_processor=RobertaProcessing(
            (end, vocab[end]), (begin, vocab[begin]), trim_offsets=False, add_prefix_space=False
        ),
        decoder=ByteLevelDecoder(),
    )


def byte_level_family(vocab: Mapping[str, int], merges: Merges, *, add_prefix_space: bool = False) -> Parts:
    """The family a vocab.json and merges.txt belong to, told by their pieces.

    ``</w>`` at the end of pieces is CLIP's; ``<s>`` and ``</s>`` are RoBERTa's; else it is GPT-2's.
    """
    pairs = list(merges)
    if any(piece.endswith("</w>") for piece in vocab):
        return clip(vocab, pairs)
    if "<s>" in vocab and "</s>" in vocab:
        return roberta(vocab, pairs, add_prefix_space=add_prefix_space)
    return gpt2(vocab, pairs, add_prefix_space=add_prefix_space)


def _whole(
    model: Model,
    *,
    specials: Iterable[str],
    normalizer: Normalizer | None = None,
    pre_tokenizer: PreTokenizer | None = None,
    post_processor: PostProcessor | None = None,
    decoder: Decoder | None = None,
    lstrip: str | None = None,
) -> Parts:
    present = [piece for piece in specials if model.token_to_id(piece) is not None]
    added = AddedVocabulary()
    added.add((AddedToken(piece, lstrip=piece == lstrip, normalized=False, special=True) for piece in present), model)
    return Parts(model, added, normalizer, pre_tokenizer, post_processor, decoder)
