"""Two languages learn each other from corpora that nobody has aligned: the parts, the loss, and what is refused."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
import two_languages as two
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.data.noise import Noise
from textpipe.data.packing import PackedData
from textpipe.data.shards import TokenSplit
from textpipe.data.two_corpora import SentenceSplit, TwoCorpora
from textpipe.data.word_vectors import anchors, company_VA, coordinates_VA, word_vectors
from textpipe.errors import ConfigError, InputError, StateError
from textpipe.generation.beam import BeamConfig
from textpipe.generation.translating import Translator
from textpipe.generation.translation import likeliest_ids, translate_ids
from textpipe.models import WordLevel
from textpipe.nn.bilingual import Bilingual
from textpipe.nn.shapes import BilingualConfig
from textpipe.pre_tokenizers import WhitespaceSplit
from textpipe.tasks.unsupervised_translation import LanguageBatch, LanguagePart, UnsupervisedTranslation
from textpipe.tokenizer import Tokenizer
from textpipe.training.distributed.shares import micro_batches
from textpipe.training.run_config import TrainConfig

NAMES, KOREAN, LANGUAGES = two.NAMES, two.KOREAN, two.LANGUAGES


@pytest.fixture(scope="module")
def tokenizer():
    return two.tokenizer()


@pytest.fixture(scope="module")
def data(tokenizer, tmp_path_factory):
    return two.corpora(tokenizer, tmp_path_factory.mktemp("two"))


def shape(data, **more):
    keys = {"width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "context": 16, **more}
    return BilingualConfig(vocab_size=data.vocab_size, languages=LANGUAGES, **keys)


def task(data, **settings):
    keys = {
        "steps": 10,
        "warmup_steps": 1,
        "batch_tokens": 64,
        "back_translation_after": 4,
        "device": "cpu",
        **settings,
    }
    return UnsupervisedTranslation(shape(data), data, TrainConfig(**keys))


@given(
    st.lists(st.integers(1, 99), max_size=20),
    st.floats(0, 0.99),
    st.floats(0, 0.99),
    st.integers(0, 8),
    st.integers(0, 2**32),
)
def test_noise_leaves_out_hides_and_moves_no_further_than_it_may(ids, drop, blank, distance, seed):
    marked = np.array(ids, dtype=np.int64) * 100 + np.arange(len(ids))  # each tells its place
    noisy = Noise(drop, blank, distance).of(marked, -1, np.random.default_rng(seed)).tolist()
    assert (len(noisy) >= 1) == (len(ids) >= 1)
    assert len(noisy) <= len(ids)
    kept = [token for token in noisy if token != -1]
    assert len(set(kept)) == len(kept)
    assert set(kept) <= set(marked.tolist())
    if not drop:
        assert len(noisy) == len(ids)
        assert all(abs(place - token % 100) <= distance for place, token in enumerate(noisy) if token != -1)
    if not drop and not blank and not distance:
        assert noisy == marked.tolist()
    assert noisy == Noise(drop, blank, distance).of(marked, -1, np.random.default_rng(seed)).tolist()


def test_noise_has_the_shares_it_is_told():
    generator, ids = np.random.default_rng(0), np.arange(1, 21)
    rows = [Noise(0.1, 0.2, 3).of(ids, 0, generator) for _ in range(2000)]
    assert np.mean([len(row) for row in rows]) == pytest.approx(18, abs=0.1)
    assert np.mean([np.mean(row == 0) for row in rows]) == pytest.approx(0.2, abs=0.01)


def test_sentences_are_numbered_through_all_shards_and_padded_with_their_own_ends(data, tokenizer):
    split = SentenceSplit(TokenSplit([corpus.train.shards[0].path for corpus in data.corpora]))
    assert split.num_pairs == len(split.lengths()) == sum(each.num_pairs for each in data.train)
    last = split.num_pairs - 1
    batch = split.batch(np.array([last, 0]), begin=data.eos_id)
    assert batch.samples == (last, 0)
    texts = [tokenizer.decode(split.sentence(number).tolist()[:-1]) for number in (last, 0)]
    assert all(len(text.split()) in (3, 4) for text in texts)
    assert batch.source_BS.tolist() == batch.targets_BT.tolist()
    assert batch.read_BT[:, 0].tolist() == [data.eos_id] * 2
    assert batch.read_BT[:, 1:].tolist() == batch.targets_BT[:, :-1].tolist()


def test_company_is_counted_in_one_sentence_as_its_definition_has_it(data):
    chosen = (*anchors(data), (7, 14))
    counts = company_VA(data, chosen)
    wanted = np.zeros_like(counts)
    for split in data.train:
        for number in range(split.num_pairs):
            ids = split.sentence(number).tolist()
            for place, token in enumerate(ids):
                for other in ids[:place] + ids[place + 1 :]:
                    for column, tokens in enumerate(chosen):
                        wanted[token, column] += other in tokens
    np.testing.assert_array_equal(counts, wanted)


def test_coordinates_are_directions_of_positive_information():
    counts = np.array([[4.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    found = coordinates_VA(counts)
    assert found[0].tolist() == [1.0, 0.0]
    assert found[1][0] == 0.0
    assert found[1][1] == pytest.approx(1.0)
    assert found[2].tolist() == [0.0, 0.0]


def test_vectors_of_words_that_stand_for_one_thing_are_nearest_before_anything_is_trained(data, tokenizer):
    vectors = word_vectors(data, 24, seed=3)
    ids = [[tokenizer.token_to_id(word) for word in words] for words in (KOREAN, KOREAN.values())]
    near = vectors[ids[0]] @ vectors[ids[1]].T
    assert near.argmax(axis=1).tolist() == list(range(len(KOREAN)))
    np.testing.assert_allclose(np.linalg.norm(vectors[ids[0]], axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(vectors, word_vectors(data, 24, seed=3))
    assert word_vectors(data, 4).shape == (data.vocab_size, 4)
    by_names = coordinates_VA(company_VA(data, anchors(data)))
    found = word_vectors(data, 24, rounds=0)
    np.testing.assert_allclose(found @ found.T, by_names @ by_names.T, atol=1e-5)  # no distance is changed


def test_a_model_faces_either_way_with_the_same_weights_and_writes_its_target_s_words_only(data, tokenizer):
    model = task(data).new_model(0).eval()
    other = model.facing(1, 0)
    assert other.embedding.weight is model.embedding.weight
    assert (model.direction, other.direction) == ((0, 1), (1, 0))
    english = {tokenizer.token_to_id(word) for word in [*NAMES, *KOREAN]}
    korean = {tokenizer.token_to_id(word) for word in [*NAMES, *KOREAN.values()]}
    source = torch.tensor([[2, 5, 9, data.eos_id]])
    written = {}
    for name, facing in (("ko", model), ("en", other)):
        states = facing(source, torch.tensor([4]), torch.tensor([[data.eos_id, 3]]))
        logits = facing.logits(states)
        written[name] = set(torch.isfinite(logits[0, 0]).nonzero().flatten().tolist())
    assert written == {"ko": korean | {data.eos_id}, "en": english | {data.eos_id}}
    with torch.no_grad():
        model.language_embedding.weight[0] += 1.0
    changed = model.facing(1, 1)(source, torch.tensor([4]), torch.tensor([[data.eos_id]]))
    with torch.no_grad():
        model.language_embedding.weight[0] -= 1.0
    assert torch.equal(changed, model.facing(1, 1)(source, torch.tensor([4]), torch.tensor([[data.eos_id]])))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.integers(0, 15), min_size=1, max_size=7), min_size=1, max_size=5), st.integers(0, 9))
def test_the_likeliest_tokens_are_those_of_a_search_by_one_beam(rows, seed):
    blocks = {"encoder_layers": 1, "decoder_layers": 1}
    config = BilingualConfig(vocab_size=16, width=8, heads=2, context=12, languages=LANGUAGES, **blocks)
    model = Bilingual(config, seed=seed).eval()
    lengths_B = torch.tensor([len(row) for row in rows])
    source_BS = torch.zeros(len(rows), int(lengths_B.max()), dtype=torch.long)
    for number, row in enumerate(rows):
        source_BS[number, : len(row)] = torch.tensor(row)
    found = likeliest_ids(model, source_BS, lengths_B, eos_id=0, max_tokens=9)
    one_beam = BeamConfig(beams=1, max_tokens=9, length_penalty="none")
    assert found == translate_ids(model, rows, one_beam, eos_id=0)


def test_the_loss_is_the_weighted_mean_of_denoising_and_back_translation(data):
    made = task(data)
    model = made.new_model(0).train()
    early, late = made.batch(0), made.batch(9)
    assert (early.denoising, early.translating) == (1.0, 0.0)
    assert (late.denoising, late.translating) == (pytest.approx(0.1), 1.0)
    for batch in (early, late):
        total, count = made.loss(model, batch)
        assert model.training
        assert int(count) == batch.num_targets
        wanted = 0.0
        for part in batch.parts:
            language, other = part.language, 1 - part.language
            again = made.translated(model, part)
            sums = []
            for facing, pairs in (
                (model.facing(language, language), part.noisy),
                (model.facing(other, language), again),
            ):
                states = facing(pairs.source_BS, pairs.lengths_B, pairs.read_BT)
                logits = torch.nn.functional.linear(states, model.embedding.weight)
                sums.append(torch.nn.functional.cross_entropy(
                    logits.flatten(0, 1), part.clean.targets_BT.flatten(), reduction="sum").item())  # fmt: skip
            wanted += (batch.denoising * sums[0] + batch.translating * sums[1]) / (batch.denoising + batch.translating)
        assert total.item() == pytest.approx(wanted, rel=1e-5)


def test_a_batch_is_a_function_of_seed_and_step_and_cut_it_has_the_same_loss(data):
    made, again = task(data), task(data)
    batch, other = made.batch(7), again.batch(7)
    for part, same in zip(batch.parts, other.parts, strict=True):
        assert torch.equal(part.noisy.source_BS, same.noisy.source_BS)
        assert part.clean.samples == same.clean.samples
    assert {part.language for part in batch.parts} == {0, 1}
    noises = [made.batch(step).parts[0].noisy.source_BS.tolist() for step in (7, 8)]
    assert noises[0] != noises[1]
    assert not torch.equal(task(data, seed=5).batch(7).parts[0].clean.source_BS, batch.parts[0].clean.source_BS)
    model = made.new_model(0).eval()
    whole, count = made.loss(model, batch)
    parts = [made.loss(model, piece) for piece in batch.split(3)]
    assert len(parts) > 2
    assert sum(int(number) for _, number in parts) == int(count)
    assert sum(part.item() for part, _ in parts) == pytest.approx(whole.item(), rel=1e-5)
    assert list(batch.split(len(batch.samples))) == [batch]


@given(first=st.integers(1, 12), second=st.integers(1, 12), size=st.none() | st.integers(1, 9), ranks=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_every_sentence_of_both_languages_counts_once_whoever_reads_it(data, first, second, size, ranks):
    parts = []
    for language, number in enumerate((first, second)):
        clean = data.train[language].batch(np.arange(number) + 100 * language, begin=data.eos_id)
        parts.append(LanguagePart(language, clean, clean))
    batch = LanguageBatch(tuple(parts), 1.0, 0.0)
    shares = [micro_batches(batch, size, rank=rank, ranks=ranks) for rank in range(ranks)]
    counted = [piece.batch for share in shares for piece in share if piece.counts]
    assert tuple(sample for piece in counted for sample in piece.samples) == batch.samples
    assert sum(piece.num_targets for piece in counted) == batch.num_targets
    assert all(len(piece.batch.samples) <= (size or 24) for share in shares for piece in share)


def test_pairs_found_alike_are_anchors_however_many_tokens_are_shared(data, monkeypatch):
    monkeypatch.setattr("textpipe.data.word_vectors._MOST_ANCHORS", len(anchors(data)))
    by_names, learnt = (word_vectors(data, 24, seed=1, rounds=rounds) for rounds in (0, 2))
    assert not np.allclose(by_names @ by_names.T, learnt @ learnt.T)


def test_a_look_tells_the_loss_of_denoising_and_what_comes_back(data):
    made = task(data)
    scores = made.validate(made.new_model(0).eval(), torch.float32)
    assert math.isfinite(scores["val_loss"])
    assert 0.0 <= scores["val_round_trip"] <= 1.0
    assert made.baseline()["unigram_entropy"] < math.log(data.vocab_size)
    told = made.samples(made.new_model(0).eval())
    assert all(len(sample["prompt"].split()) in (3, 4) for sample in told)
    assert len(told) == 4


def test_a_translator_writes_the_language_it_is_told(data, tokenizer):
    model = task(data).new_model(0).eval()
    assert Translator(model.facing(1, 0), tokenizer, eos_id=data.eos_id).translate(["Mina 바다 본다"])[0].text.isascii()


def test_corpora_that_do_not_go_together_are_refused(data, tokenizer, tmp_path):
    first, second = data.corpora
    with pytest.raises(ConfigError, match="both languages are named 'ko'"):
        TwoCorpora(first, second, ("ko", "ko"))
    with pytest.raises(InputError, match="the same corpus"):
        TwoCorpora(first, PackedData(first.path), LANGUAGES)
    other = Tokenizer(WordLevel({"<|endoftext|>": 0, "바다": 1, "<|unknown|>": 2}, unk_token="<|unknown|>"))
    other.pre_tokenizer = WhitespaceSplit()
    other.add_special_tokens(["<|endoftext|>"])
    apart = two.packed(["바다"] * 50, other, tmp_path / "other")
    with pytest.raises(StateError, match=r"another tokenizer.*one vocabulary serves both"):
        TwoCorpora(first, apart, LANGUAGES)
    with pytest.raises(InputError, match="there is no document"):
        two.packed([], tokenizer, tmp_path / "empty")


def test_languages_without_a_common_token_have_no_vectors_but_may_begin_with_random_ones(tokenizer, tmp_path):
    first = two.packed(["sea sees hill"] * 40, tokenizer, tmp_path / "en")
    second = two.packed(["바다 본다 언덕"] * 40, tokenizer, tmp_path / "ko")
    apart = TwoCorpora(first, second, LANGUAGES)
    with pytest.raises(InputError, match=r"no token occurs in both en and ko.*random"):
        word_vectors(apart, 8)
    assert task(apart, initial_vectors="random").new_model(0) is not None


def test_shapes_and_tasks_of_other_languages_are_refused(data):
    with pytest.raises(ConfigError, match="languages"):
        shape(data).replaced(languages=("ko", "ko"))
    with pytest.raises(ConfigError, match="one vocabulary"):
        shape(data).replaced(source_vocab_size=9)
    with pytest.raises(ConfigError, match=r"the model has \('en', 'fr'\)"):
        UnsupervisedTranslation(shape(data).replaced(languages=("en", "fr")), data, TrainConfig())
    counted = sum(weight.numel() for weight in Bilingual(shape(data)).parameters())
    assert shape(data).num_parameters == counted
    assert dataclasses.is_dataclass(task(data).batch(0))


def test_round_trips_are_of_sentences_of_every_length_that_is_read(data):
    made = task(data)
    for language, split in enumerate(data.val):
        sent = made._sent_there_and_back(language)
        assert len(set(sent.samples)) == len(sent.samples) == min(256, split.num_pairs)
        assert set(sent.lengths_B.tolist()) == set(split.lengths().tolist())
    made.model = made.model.replaced(context=4)
    assert set(made._sent_there_and_back(0).lengths_B.tolist()) == {4}
