"""Folders of Marian and M2M100 with their own tokenizers: the same ids, the same translations, there and back."""

from __future__ import annotations

import io
import json
import random
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.data.pairs import PackedPairs, pack_pairs
from textpipe.errors import ConfigError, FormatError, InputError
from textpipe.files import write_bytes, write_json
from textpipe.formats import transformers_folder
from textpipe.generation.beam import BeamConfig
from textpipe.generation.translating import Translator
from textpipe.interchange.exporting import export_model
from textpipe.interchange.importing import ModelFolder
from textpipe.tokenizer import Tokenizer
from textpipe.training import Start, Trainer
from textpipe.training.exporting import export_run
from textpipe.training.run_config import TrainConfig

transformers = pytest.importorskip("transformers")
sentencepiece = pytest.importorskip("sentencepiece")
pytestmark = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")

KOREAN = [
    "바다는 넓고 푸르다",
    "나는 어제 학교에 갔다",
    "고양이가 창가에서 잠을 잔다",
    "배가 항구에 늦게 도착했다",
    "우리는 함께 저녁을 먹었다",
    "그 책은 정말 재미있었다 ㅎㅎ",
    "비가 와서 우산을 챙겼다",
    "한국어 문장을 영어로 옮긴다",
]
ENGLISH = [
    "the sea is wide and blue",
    "I went to school yesterday",
    "the cat sleeps by the window",
    "the ferry was late at the harbour",
    "we had dinner together",
    "that book was really fun",
    "it rained so I took an umbrella",
    "a sentence is turned into Korean",
]
ODD = [
    "",
    " ",
    "  두  칸 ",
    "the 바다 mixed 문장",
    "</s> 바다",
    "바다<pad>다",
    "sea <unk> sea",
    "가",  # NFD
    "ㅋㅋㅋ ㅠㅠ :) ^^;",
    "뷁뷁 뷁",
    ">>kor<< the sea",
    "Ω≈ç 한 Ω",
    "\u3000전각\ttab",
]
FAMILIES = ["marian", "marian-two-vocabularies", "m2m100"]


def trained(lines, size, kind):
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 4), model_writer=written, vocab_size=size, model_type=kind,
        hard_vocab_limit=False, character_coverage=0.98, minloglevel=2, num_threads=1,
    )  # fmt: skip
    return written.getvalue()


def vocabulary(models, first, last=(), *, lost=0):
    """The pieces of models in another order, some of them lost."""
    pieces = []
    for data in models:
        found = sentencepiece.SentencePieceProcessor(model_proto=data)
        pieces += [found.id_to_piece(number) for number in range(found.get_piece_size())]
    shuffled = [piece for piece in dict.fromkeys(pieces) if piece not in {"<s>", "</s>", "<unk>"}]
    random.Random(3).shuffle(shuffled)
    entries = [*first, *shuffled[lost:], *last]
    return {piece: number for number, piece in enumerate(dict.fromkeys(entries))}


def save_tokenizer(name, folder, models):
    english, korean, both = models
    folder.mkdir()
    for file, data in (("a.spm", english), ("b.spm", korean), ("c.spm", both)):
        write_bytes(folder / file, data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if name == "m2m100":
            write_json(folder / "v.json", vocabulary([both], ["<s>", "<pad>", "</s>", "<unk>"], lost=4))
            made = transformers.M2M100Tokenizer(folder / "v.json", folder / "c.spm", src_lang="ko", tgt_lang="en")
        else:
            sides = {"source_spm": str(folder / "a.spm"), "target_spm": str(folder / "b.spm")}
            first, last = ["</s>", "<unk>"], ["<pad>"]
            if name == "marian":
                whole = vocabulary([english, korean], [*first, ">>kor<<", ">>jpn<<"], last, lost=6)
                write_json(folder / "v.json", whole)
                made = transformers.MarianTokenizer(**sides, vocab=str(folder / "v.json"))
            else:
                write_json(folder / "v.json", vocabulary([english], first, last, lost=3))
                write_json(folder / "w.json", vocabulary([korean], first, last, lost=3))
                made = transformers.MarianTokenizer(
                    **sides,
                    vocab=str(folder / "v.json"),
                    target_vocab_file=str(folder / "w.json"),
                    separate_vocabs=True,
                )
    made.save_pretrained(folder.parent / name)
    return made


def save_model(name, folder, tokenizer):
    size = {"encoder_layers": 1, "decoder_layers": 2, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
    size |= {"d_model": 32, "encoder_ffn_dim": 40, "decoder_ffn_dim": 40, "max_position_embeddings": 48}
    size |= {"activation_function": "relu", "scale_embedding": True, "eos_token_id": tokenizer.eos_token_id}
    pad, rows = tokenizer.pad_token_id, len(tokenizer.encoder)
    torch.manual_seed(1)
    if name == "m2m100":
        rows += 100 + 8  # languages, and rows that no token has
        config = transformers.M2M100Config(**size, vocab_size=rows, pad_token_id=pad, decoder_start_token_id=2)
        made = transformers.M2M100ForConditionalGeneration(config)
        made.generation_config.forced_bos_token_id = tokenizer.get_lang_id("en")
    else:
        is_one = name == "marian"
        config = transformers.MarianConfig(
            **size, vocab_size=rows, decoder_vocab_size=rows if is_one else len(tokenizer.target_encoder),
            share_encoder_decoder_embeddings=is_one, pad_token_id=pad, decoder_start_token_id=pad,
        )  # fmt: skip
        made = transformers.MarianMTModel(config)
        made.final_logits_bias.normal_(0.0, 0.3)
        made.generation_config.bad_words_ids = [[pad]]
    for key, weight in made.named_parameters():
        if weight.requires_grad:  # positions are not learned
            torch.nn.init.normal_(weight, 0.0, 0.02 if "shared" in key or "embed" in key else 0.3)
    made.eval().save_pretrained(folder)
    return made


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """name → (their tokenizer, their model, folder)."""
    models = trained(ENGLISH, 60, "unigram"), trained(KOREAN, 90, "bpe"), trained(KOREAN + ENGLISH, 120, "unigram")
    made = {}
    for name in FAMILIES:
        here = tmp_path_factory.mktemp("folders")
        tokenizer = save_tokenizer(name, here / "raw", models)
        made[name] = tokenizer, save_model(name, here / name, tokenizer), here / name
    return made


def read(folder, side):
    return Tokenizer.from_parts(transformers_folder.read(folder, side=side))


@pytest.mark.parametrize("name", FAMILIES)
def test_both_sides_have_the_ids_of_their_tokenizer(name, folders):
    theirs, _, folder = folders[name]
    source, target = read(folder, "source"), read(folder, "target")
    for text in [*KOREAN, *ENGLISH, *ODD]:
        if name == "marian-two-vocabularies" and ("<pad>" in text or ">>" in text):
            continue  # theirs gives the target's padding the source's id, and knows no marks of languages
        assert source.encode(text).ids == theirs(text).input_ids, text
        assert target.encode(text).ids == theirs(text_target=text).input_ids, text
    assert source.encode_to_numpy(KOREAN)[0].tolist() == [i for text in KOREAN for i in theirs(text).input_ids]


@given(st.text("바다 는sea ▁ㅎ뷁Ω\n<s>", max_size=30), st.sampled_from(FAMILIES))
@settings(max_examples=150, deadline=None)
def test_any_text_has_the_ids_of_their_tokenizer(folders, text, name):
    theirs, _, folder = folders[name]
    assert read_once(folder, "source").encode(text).ids == theirs(text).input_ids
    assert read_once(folder, "target").encode(text).ids == theirs(text_target=text).input_ids


_READ = {}


def read_once(folder, side):
    if (folder, side) not in _READ:
        _READ[folder, side] = read(folder, side)
    return _READ[folder, side]


@pytest.mark.parametrize("name", FAMILIES)
def test_such_a_tokenizer_comes_back_from_its_own_file(name, folders):
    tokenizer = read(folders[name][2], "source")
    again = Tokenizer.from_str(tokenizer.to_str())
    assert again.model == tokenizer.model
    assert again.sha256 == tokenizer.sha256
    assert again.encode("the 바다 뷁").ids == tokenizer.encode("the 바다 뷁").ids


def test_an_unknown_run_that_is_an_entry_of_the_other_side_has_its_id(folders):
    _, _, folder = folders["marian"]
    tokenizer = read(folder, "source")  # of English, which knows no syllable
    entries = json.loads((folder / "vocab.json").read_bytes())
    syllable = next(piece for piece in entries if len(piece) == 1 and "가" <= piece <= "힣")
    assert entries[syllable] in tokenizer.encode(f"a {syllable}", add_special_tokens=False).ids
    tokens = tokenizer.encode("a 뷁뷁 b", add_special_tokens=False)
    assert tokens.ids.count(entries["<unk>"]) >= 1


def written_by(theirs, tokenizer, texts, **options):
    found = []
    for text in texts:
        ids = theirs.generate(**tokenizer(text, return_tensors="pt"), do_sample=False, **options)[0].tolist()[1:]
        end = ids.index(theirs.config.eos_token_id) if theirs.config.eos_token_id in ids else len(ids)
        found.append(ids[:end])
    return found


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("name", FAMILIES)
def test_translations_are_those_of_generate(name, beams, folders):
    tokenizer, theirs, folder = folders[name]
    translator = Translator.open(folder)
    texts = [*ENGLISH[:4], *KOREAN[:4]]
    expected = written_by(theirs, tokenizer, texts, num_beams=beams, max_new_tokens=14)
    found = translator.writer.search(texts, BeamConfig(beams=beams, max_tokens=14))
    assert [best.ids for _, best in found] == expected
    if name == "m2m100":
        assert all(best.ids[0] == tokenizer.get_lang_id("en") for _, best in found)


def test_languages_are_chosen_by_name_and_unknown_ones_refused(folders):
    tokenizer, theirs, folder = folders["m2m100"]
    translator = Translator.open(folder, languages=("en", "ja"))
    tokenizer.src_lang = "en"
    options = {"num_beams": 2, "max_new_tokens": 9, "forced_bos_token_id": tokenizer.get_lang_id("ja")}
    expected = written_by(theirs, tokenizer, ENGLISH[:3], **options)
    tokenizer.src_lang = "ko"
    found = translator.writer.search(ENGLISH[:3], BeamConfig(beams=2, max_tokens=9))
    assert [best.ids for _, best in found] == expected
    with pytest.raises(ConfigError, match="the model has no language 'kr'"):
        ModelFolder.open(folder, languages=("kr", "en"))
    two = folders["marian-two-vocabularies"][2]
    with pytest.raises(ConfigError, match="no tokens for languages"):
        ModelFolder.open(two, languages=(None, "ko"))


def test_the_language_that_a_marian_model_is_to_write_stands_before_its_sources(folders):
    tokenizer, _, folder = folders["marian"]
    source = ModelFolder.open(folder, languages=(None, "kor")).source_tokenizer
    assert source.encode("the sea").ids == tokenizer(">>kor<< the sea").input_ids


@pytest.mark.parametrize("name", FAMILIES)
def test_a_folder_goes_through_a_run_and_back_to_transformers(name, folders, tmp_path):
    tokenizer, theirs, folder = folders[name]
    ours = ModelFolder.open(folder)
    separate = ours.source_tokenizer if ours.source_tokenizer is not ours.tokenizer else None
    options = {"source_tokenizer": separate, "frame": ours.frame()}
    export_model(ours.model(), ours.tokenizer, tmp_path / "out", eos_id=ours.eos_id, **options)
    kind = type(theirs)
    again = kind.from_pretrained(tmp_path / "out", local_files_only=True).eval()
    their_tokenizer = type(tokenizer).from_pretrained(tmp_path / "out", local_files_only=True)
    for text in [*KOREAN, *ENGLISH, *ODD]:
        assert their_tokenizer(text).input_ids == tokenizer(text).input_ids
        assert their_tokenizer(text_target=text).input_ids == tokenizer(text_target=text).input_ids
    given = tokenizer(ENGLISH[0], text_target=KOREAN[0], return_tensors="pt")
    with torch.no_grad():
        rows = ours.shape.vocab_size  # theirs may have rows that no token has
        expected, found = theirs(**given).logits[..., :rows], again(**given).logits
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6 * max(1.0, expected.abs().max().item()))
    for beams in (1, 3):
        options = {"num_beams": beams, "max_new_tokens": 10, "forced_eos_token_id": None}
        assert written_by(again, their_tokenizer, ENGLISH, **options) == written_by(
            theirs, tokenizer, ENGLISH, **options
        )


@pytest.mark.parametrize("name", FAMILIES)
def test_a_model_is_trained_on_from_its_folder_as_it_was_trained(name, folders, tmp_path):
    tokenizer, theirs, folder = folders[name]
    ours = ModelFolder.open(folder)
    pairs = list(zip(ENGLISH, KOREAN, strict=True))
    separate = ours.source_tokenizer if ours.source_tokenizer is not ours.tokenizer else None
    eos = ours.tokenizer.id_to_token(ours.eos_id)
    options = {"eos": eos, "source_tokenizer": separate, "frame": ours.frame()}
    data = pack_pairs(pairs, pairs[:3], ours.tokenizer, tmp_path / "pairs", **options)
    batch = data.val.batch(torch.arange(3).numpy(), begin=data.begin_id)
    given = tokenizer(ENGLISH[:3], text_target=KOREAN[:3], return_tensors="pt", padding=True)
    assert torch.equal(batch.source_BS * given.attention_mask, given.input_ids * given.attention_mask)
    labels = given.labels.masked_fill(batch.targets_BT == -100, -100)
    assert torch.equal(batch.targets_BT, labels)
    assert batch.read_BT[:, 0].tolist() == [theirs.config.decoder_start_token_id] * 3
    config = TrainConfig(
        steps=2, warmup_steps=0, batch_tokens=200, validate_every=1, checkpoint_every=2, sample_every=2, device="cpu"
    )
    trainer = Trainer(
        ours.shape, PackedPairs(tmp_path / "pairs"), config, out=tmp_path / "run", start=Start.open(folder)
    )
    trainer.run()
    export_run(tmp_path / "run", tmp_path / "out")
    again = type(theirs).from_pretrained(tmp_path / "out", local_files_only=True).eval()
    their_tokenizer = type(tokenizer).from_pretrained(tmp_path / "out", local_files_only=True)
    expected = written_by(again, their_tokenizer, ENGLISH[:3], num_beams=3, max_new_tokens=8)
    for place in ("run", "out"):
        found = Translator.open(tmp_path / place).writer.search(ENGLISH[:3], BeamConfig(beams=3, max_tokens=8))
        assert [best.ids for _, best in found] == expected


@pytest.mark.parametrize("name", FAMILIES)
def test_the_commands_take_the_folder_itself(name, folders, tmp_path, capsys):
    from textpipe.cli.app import run
    from textpipe.files import write_text

    folder = folders[name][2]
    write_text(tmp_path / "t.tsv", "".join(f"{one}\t{other}\n" for one, other in zip(ENGLISH, KOREAN, strict=True)))
    files = [str(tmp_path / "t.tsv"), "--val", str(tmp_path / "t.tsv"), "--tokenizer", str(folder)]
    assert run(["pack-pairs", *files, "--out", str(tmp_path / "pairs")]) == 0
    assert PackedPairs(tmp_path / "pairs").frame == ModelFolder.open(folder).frame()
    capsys.readouterr()
    options = ["--target-language", "ja"] if name == "m2m100" else []
    assert run(["translate", str(folder), "--text", ENGLISH[0], "--max-tokens", "5", *options]) == 0
    languages = (None, options[1]) if options else (None, None)
    expected = Translator.open(folder, languages=languages).translate(ENGLISH[:1], BeamConfig(max_tokens=5))[0].text
    assert capsys.readouterr().out == expected + "\n"
    for more, message in (
        (["--source-tokenizer", str(folder)], "the folder has them"),
        (["--eos", "<eos>"], "this model's texts end with </s>"),
        (
            ["--target-language", "xx"],
            "no language" if name != "marian-two-vocabularies" else "no tokens for languages",
        ),
    ):
        assert run(["pack-pairs", *files, "--out", str(tmp_path / "other"), *more]) != 0
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.pop("<unk>"), 'the vocab has no "<unk>"'),
        (lambda v: v.pop("</s>"), 'has no "</s>", which ends texts'),
        (lambda v: v.update({"<unk>": 10**6}), "leave gaps"),
        (lambda v: v.update({"<unk>": "1"}), "gives"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_refused_by_its_file(change, message, folders, tmp_path):
    _, _, folder = folders["marian"]
    for path in folder.iterdir():
        if path.suffix != ".safetensors":
            write_bytes(tmp_path / path.name, path.read_bytes())
    entries = json.loads((folder / "vocab.json").read_bytes())
    change(entries)
    entries = {piece: number if message == "gives" or number == 10**6 else place
               for place, (piece, number) in enumerate(entries.items())}  # fmt: skip
    write_json(tmp_path / "vocab.json", entries)
    with pytest.raises(FormatError, match=message) as caught:
        read(tmp_path, "source")
    assert "vocab.json" in str(caught.value)
    (tmp_path / "target.spm").unlink()
    write_json(tmp_path / "vocab.json", json.loads((folder / "vocab.json").read_bytes()))
    with pytest.raises((FormatError, InputError), match=r"target\.spm"):
        read(tmp_path, "target")


def test_a_tokenizer_of_such_ids_is_no_model_file_and_draws_nothing(folders, tmp_path):
    from textpipe.formats import write_file

    tokenizer = read(folders["marian"][2], "source")
    with pytest.raises(InputError, match="has no ids for its pieces"):
        write_file(tokenizer.parts, tmp_path / "x.model")
    with pytest.raises(InputError, match="draws no spellings"):
        tokenizer.model.alpha = 0.1
