"""Packing keeps every document, splits by its id alone, and leaves a whole folder or none."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from textpipe.data.packing import PackConfig, PackedData, encode_documents, finished, is_validation, pack
from textpipe.errors import ConfigError, FormatError, InputError, StateError
from textpipe.records import Document
from textpipe.tokenizer import Tokenizer


def documents_of(split):
    for shard in split.shards:
        for start, end in zip(shard.offsets, shard.offsets[1:], strict=False):
            yield shard.tokens[start:end].tolist()


def test_every_document_is_in_one_split_whole_and_ends_with_eos(small_documents, small_tokenizer, small_packed):
    config = PackConfig(val_fraction=0.1)
    eos = small_tokenizer.token_to_id("<|endoftext|>")
    for split, held_out in ((small_packed.train, False), (small_packed.val, True)):
        expected = [d.text for d in small_documents if is_validation(d, config) == held_out]
        rows = list(documents_of(split))
        assert all(row[-1] == eos for row in rows)
        assert [small_tokenizer.decode(row[:-1]) for row in rows] == expected


def test_the_manifest_counts_documents_tokens_and_bytes_by_language(small_documents, small_packed):
    counts = small_packed.counts
    for name, split in (("train", small_packed.train), ("val", small_packed.val)):
        languages = counts[name]["languages"]
        assert sorted(languages) == ["en", "ko"]
        for key, whole in (
            ("documents", split.num_documents),
            ("tokens", split.num_tokens),
            ("bytes", split.text_bytes),
        ):
            assert counts[name][key] == whole == sum(row[key] for row in languages.values())
    assert small_packed.train.text_bytes + small_packed.val.text_bytes == sum(
        len(d.text.encode()) for d in small_documents
    )


def test_a_document_keeps_its_split_when_others_are_added():
    config = PackConfig(val_fraction=0.3)
    few = [Document(id=f"url-{n}", text="a") for n in range(50)]
    before = {d.id: is_validation(d, config) for d in few}
    assert {
        d.id: is_validation(d, config) for d in [Document(id="new", text="b"), *reversed(few)]
    }.items() >= before.items()
    assert 5 < sum(before.values()) < 25


def test_another_seed_holds_out_other_documents():
    few = [Document(id=f"url-{n}", text="a") for n in range(100)]
    first, second = ([is_validation(d, PackConfig(val_fraction=0.3, seed=seed)) for d in few] for seed in (0, 1))
    assert first != second


def test_a_document_without_an_id_goes_by_its_text():
    config = PackConfig(val_fraction=0.5)
    choices = {is_validation(Document(id="", text=f"문서 {n}"), config) for n in range(30)}
    assert choices == {True, False}


def test_held_out_documents_of_ones_own_are_the_validation_split(small_documents, small_tokenizer, tmp_path):
    data = pack(
        small_documents[:20], small_tokenizer, tmp_path / "s", PackConfig(), val_documents=small_documents[20:23]
    )
    assert (data.train.num_documents, data.val.num_documents) == (20, 3)


def test_several_shards_read_as_one(small_documents, small_tokenizer, small_packed, tmp_path, monkeypatch):
    monkeypatch.setattr("textpipe.data.packing._BATCH_BYTES", 2000)
    data = pack(small_documents, small_tokenizer, tmp_path / "s", PackConfig(val_fraction=0.1, shard_tokens=700))
    assert len(data.train.shards) > 3
    length = small_packed.train.num_tokens
    assert data.train.num_tokens == length
    assert np.array_equal(data.train.window(0, length), small_packed.train.window(0, length))


def test_the_same_call_makes_the_same_bytes(small_documents, small_tokenizer, tmp_path):
    first, second = (pack(small_documents, small_tokenizer, tmp_path / name) for name in "ab")
    assert first.fingerprint == second.fingerprint


@pytest.fixture
def drawing_tokenizer(small_tokenizer):
    drawing = json.loads(small_tokenizer.to_str())
    drawing["model"]["dropout"] = 0.3
    return Tokenizer.from_str(json.dumps(drawing))


def test_a_tokenizer_that_draws_packs_the_same_bytes_by_the_same_seed(small_documents, drawing_tokenizer, tmp_path):
    def packed(name, seed, threads=1):
        # The documents held out are named, so that the seed has no part but in what is drawn.
        config = PackConfig(seed=seed, threads=threads)
        made = pack(
            small_documents[:30], drawing_tokenizer, tmp_path / name, config, val_documents=small_documents[30:]
        )
        return [path.read_bytes() for path in sorted(made.path.glob("*.bin"))]

    assert packed("a", 1) == packed("b", 1, threads=3)
    assert packed("c", 2) != packed("d", 1)
    assert drawing_tokenizer.model.seed is None  # the caller's is left as it was


def test_documents_are_drawn_alike_whatever_is_encoded_with_them(
    small_documents, drawing_tokenizer, tmp_path, monkeypatch
):
    whole = encode_documents(small_documents, drawing_tokenizer, tmp_path / "whole", seed=4)
    monkeypatch.setattr("textpipe.data.packing._BATCH_BYTES", 500)
    parts = encode_documents(reversed(small_documents), drawing_tokenizer, tmp_path / "parts", seed=4)
    assert list(documents_of(whole)) == list(documents_of(parts))[::-1]


def test_a_seed_of_the_model_itself_is_kept_and_recorded(small_documents, drawing_tokenizer, tmp_path):
    drawing_tokenizer.model.seed = 7
    config = PackConfig()
    made = pack(small_documents, drawing_tokenizer, tmp_path / "s", config, source="x")
    assert finished(made.path, drawing_tokenizer, config, source="x") is not None
    drawing_tokenizer.model.seed = 8
    with pytest.raises(StateError, match="packed with another drawing"):
        finished(made.path, drawing_tokenizer, config, source="x")


def test_an_empty_split_is_refused_and_leaves_nothing(small_documents, small_tokenizer, tmp_path):
    with pytest.raises(InputError, match=r"no document fell into the split val.*--val-fraction"):
        pack(small_documents, small_tokenizer, tmp_path / "s", PackConfig(val_fraction=0.0))
    with pytest.raises(InputError, match=r"no document fell into the split train.*lower --val-fraction"):
        pack(small_documents, small_tokenizer, tmp_path / "s", PackConfig(val_fraction=0.999999))
    with pytest.raises(InputError, match=r"there is no document to pack\. name inputs that hold text"):
        pack([], small_tokenizer, tmp_path / "s", val_documents=small_documents)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_eos_is_refused_with_what_to_do(small_documents, small_tokenizer, tmp_path):
    with pytest.raises(ConfigError, match=r"no token '</s>'.*--eos"):
        pack(small_documents, small_tokenizer, tmp_path / "s", PackConfig(eos="</s>"))


def test_half_a_surrogate_pair_is_refused_naming_the_document(small_tokenizer, tmp_path):
    with pytest.raises(InputError, match="document bad holds half a surrogate pair at character 1"):
        pack([Document(id="bad", text="a\ud800")], small_tokenizer, tmp_path / "s")


def test_an_existing_folder_is_never_overwritten(small_documents, small_tokenizer, tmp_path):
    pack(small_documents, small_tokenizer, tmp_path / "s")
    with pytest.raises(StateError, match="exists already"):
        pack(small_documents, small_tokenizer, tmp_path / "s")


def test_the_same_call_finds_its_work_done_and_another_is_refused(small_documents, small_tokenizer, tmp_path):
    config = PackConfig()
    assert finished(tmp_path / "s", small_tokenizer, config, source="x") is None
    made = pack(small_documents, small_tokenizer, tmp_path / "s", config, source="x")
    assert finished(tmp_path / "s", small_tokenizer, config, source="x").fingerprint == made.fingerprint
    with pytest.raises(StateError, match="packed with another seed, source"):
        finished(tmp_path / "s", small_tokenizer, config.replaced(seed=5), source="y")


def test_a_changed_token_is_found_when_verified(small_documents, small_tokenizer, tmp_path):
    pack(small_documents, small_tokenizer, tmp_path / "s")
    path = tmp_path / "s" / "train-00000.bin"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"train-00000\.bin is not the file that was written"):
        PackedData(tmp_path / "s", verify=True)


def test_a_folder_that_pack_did_not_make_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no manifest\.json here"):
        PackedData(tmp_path)


def with_mark(documents):
    return [dataclasses.replace(documents[0], text="ㅋㅋ<|endoftext|> 재밌다"), *documents[1:]]


def test_a_special_token_written_in_a_text_is_plain_text(small_documents, small_tokenizer, tmp_path):
    documents = with_mark(small_documents)
    data = pack(documents, small_tokenizer, tmp_path / "s", val_documents=small_documents[:3])
    assert data.counts["train"]["eos_in_text"] == 0
    rows = list(documents_of(data.train))
    assert sum(row.count(data.eos_id) for row in rows) == len(documents)
    assert [small_tokenizer.decode(row[:-1]) for row in rows] == [document.text for document in documents]


def test_a_special_token_of_a_text_one_vouches_for_is_a_token_and_counted(small_documents, small_tokenizer, tmp_path):
    config = PackConfig(special="allow")
    held_out = small_documents[:3]
    data = pack(with_mark(small_documents), small_tokenizer, tmp_path / "s", config, val_documents=held_out)
    assert data.counts["train"]["eos_in_text"] == 1
    assert data.train.num_documents == len(small_documents)


def test_a_refused_special_token_is_named_with_its_document_and_nothing_is_left(
    small_documents, small_tokenizer, tmp_path
):
    documents = [*small_documents[:7], dataclasses.replace(small_documents[7], id="p/7", text="나 <|endoftext|>")]
    expected = r'document p/7 holds the special token "<\|endoftext\|>" at character 2'
    for make in (
        lambda: pack(documents, small_tokenizer, tmp_path / "s", PackConfig(special="raise")),
        lambda: encode_documents(documents, small_tokenizer, tmp_path / "s", special="raise"),
    ):
        with pytest.raises(InputError, match=expected):
            make()
        assert not (tmp_path / "s").exists()


def test_a_pack_with_another_policy_is_not_the_same_work(small_documents, small_tokenizer, tmp_path):
    pack(small_documents, small_tokenizer, tmp_path / "s", PackConfig(special="allow"), source="x")
    with pytest.raises(StateError, match="packed with another special"):
        finished(tmp_path / "s", small_tokenizer, PackConfig(), source="x")
