"""Tokenizers as sentencepiece trains them.

What enters: files of sentences, one a line, a trainer and how text is normalized. What leaves: a tokenizer, which may
be saved as a .model file. Promises: with ``compat="sentencepiece"`` the pieces, the scores and the ids of sentencepiece
0.2.3 with the same settings, for any number of threads.
"""

from __future__ import annotations

import io
from functools import cache

from textpipe import decoders, normalizers
from textpipe.errors import ConfigError, InputError, did_you_mean
from textpipe.formats import sentencepiece_file
from textpipe.limits import DEFAULT_LIMITS
from textpipe.sources import TEXT_COLUMN, Inputs
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import (
    SentencePieceBpeTrainer,
    SentenceReader,
    Sentences,
    TrainingState,
    UnigramTrainer,
    WordCounts,
    count_files,
    fit_sentences,
    read_sentence_files,
)
from textpipe.trainers.counting import Progress, counting_reader

__all__ = ["NORMALIZATIONS", "charsmap_named", "train_sentencepiece"]

NORMALIZATIONS = ("nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity")


@cache
def charsmap_named(name: str) -> bytes:
    """The rules that sentencepiece has under a name.

    Raises
    ------
    ConfigError
        when it has none of this name.

    Examples
    --------
    >>> charsmap_named("identity")
    b''
    """
    if name not in NORMALIZATIONS:
        raise ConfigError(f'no normalization is called "{name}"', hint=did_you_mean(name, NORMALIZATIONS))
    if name == "identity":
        return b""
    import sentencepiece

    model = io.BytesIO()
    # It writes its rules into every model that it trains.
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a"]),
        model_writer=model,
        vocab_size=16,
        hard_vocab_limit=False,
        normalization_rule_name=name,
        minloglevel=3,
    )
    file = sentencepiece_file.read(model.getvalue(), path=f"rules {name}", limits=DEFAULT_LIMITS)
    return file.normalizer.charsmap


def train_sentencepiece(
    inputs: Inputs,
    trainer: UnigramTrainer | SentencePieceBpeTrainer,
    *,
    normalization: str = "nmt_nfkc",
    add_dummy_prefix: bool = True,
    remove_extra_whitespaces: bool = True,
    max_sentence_bytes: int = 4192,
    text_column: str = TEXT_COLUMN,
    threads: int | None = None,
    progress: Progress | None = None,
    state: TrainingState | None = None,
) -> Tokenizer:
    """Learn a sentencepiece tokenizer from files.

    Parameters
    ----------
    inputs : text files, one sentence a line, JSONL or Parquet files.
    trainer : what to learn. The special tokens of sentencepiece are ``["<unk>", "<s>", "</s>"]``, its unknown token
        ``<unk>``.
    normalization : one of :data:`NORMALIZATIONS`.
    add_dummy_prefix, remove_extra_whitespaces, max_sentence_bytes : as in
        :class:`~textpipe.trainers.SentenceReader`.
    text_column : where Parquet files hold their texts.
    threads, progress, state : as in :func:`~textpipe.trainers.train_unigram`.

    Raises
    ------
    InputError
        when there is no text, or ``vocab_size`` is too small for it.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "a.txt")
    >>> _ = file.write_text("학교에 갔다\\n학교에서 왔다\\n" * 9, encoding="utf-8")
    >>> special = ["<unk>", "<s>", "</s>"]
    >>> trainer = UnigramTrainer(vocab_size=16, special_tokens=special, unk_token="<unk>", compat="sentencepiece")
    >>> train_sentencepiece(file, trainer).encode("학교에 왔다").tokens
    ['▁학교에', '▁왔다']
    """
    rules = charsmap_named(normalization)
    suffix = trainer.treat_whitespace_as_suffix
    rewrite = normalizers.SentencePiece(
        rules, add_dummy_prefix=False, remove_extra_whitespaces=False, escape_whitespaces=False
    )
    reader = SentenceReader(
        normalization=rewrite.native_steps() if rules else (),
        reserved=tuple(trainer.reserved),
        add_dummy_prefix=add_dummy_prefix,
        remove_extra_whitespaces=remove_extra_whitespaces,
        treat_whitespace_as_suffix=suffix,
        max_sentence_bytes=max_sentence_bytes,
    )
    if isinstance(trainer, SentencePieceBpeTrainer):
        files = counting_reader(text_column=text_column)
        learned: Sentences | WordCounts = count_files(
            inputs, trainer.cutter(reader), threads=threads, progress=progress, reader=files
        )
    else:
        learned = read_sentence_files(inputs, reader, text_column=text_column, progress=progress)
    if len(learned) == 0:
        raise InputError(
            "there is no text to learn from",
            hint=f"name inputs with lines of at most {max_sentence_bytes:,} bytes: longer ones are left out",
        )
    model = fit_sentences(learned, trainer, threads=threads, progress=progress, state=state)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.SentencePiece(
        rules,
        add_dummy_prefix=add_dummy_prefix,
        remove_extra_whitespaces=remove_extra_whitespaces,
        whitespace_as_suffix=suffix,
        kept=trainer.user_defined_symbols if isinstance(trainer, UnigramTrainer) else (),
        name=normalization,
    )
    stripped = "one" if add_dummy_prefix else "none"
    tokenizer.decoder = decoders.SentencePiece(
        "all" if remove_extra_whitespaces else stripped,
        byte_fallback=trainer.byte_fallback,
        controls=model.texts_of("control"),
        unk_piece=model.named_pieces["unk_piece"],
    )
    return tokenizer
