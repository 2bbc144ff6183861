"""One Korean page through every step, each step's output shown and checked (run with ``-s`` to see it).

The page is a CP949 page of the bundled site that says so only in its ``<meta>``. Each step is the library's own public
call, as a user would write it; what a step gives is what the next one takes.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import regex

from textpipe import Tokenizer, sources
from textpipe.clean import clean
from textpipe.crawl import crawl
from textpipe.data import PackConfig, PackedData, pack
from textpipe.decoders import ByteLevel as ByteLevelDecoder
from textpipe.models import BPE
from textpipe.normalizers import NFC
from textpipe.pre_tokenizers import ByteLevel
from textpipe.report import write_report
from textpipe.sources.warc import iter_pages
from textpipe.testing import SiteServer, read_truth
from textpipe.trainers import BpeTrainer

GPT2 = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


def show(step: str, what: object) -> None:
    print(f"\n[{step}] {str(what)[:400]}")


def words(text: str) -> list[str]:
    return regex.findall(r"\w+", unicodedata.normalize("NFC", text))


def the_page() -> tuple[str, str]:
    """Path and main text of a Korean page in CP949 that only its meta declares."""
    truth = read_truth()
    page = next(
        p
        for p in truth.pages
        if p.charset == "cp949" and p.declared_meta and not p.declared_http and p.truth and not p.duplicate_of
    )
    return page.path, truth.main_text(page)


def test_one_korean_page_through_every_step(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from textpipe.generation import SamplingConfig, generate, stream
    from textpipe.nn.gpt import GptConfig
    from textpipe.training import TrainConfig, Trainer, load_model

    torch.set_num_threads(1)
    path, truth = the_page()

    with SiteServer() as site:
        result = crawl([site.url(path)], tmp_path / "crawl", max_depth=0, allow_private=True, delay_s=0)
    show("crawl", f"{result.num_pages} page in {[p.name for p in (tmp_path / 'crawl' / 'warc').iterdir()]}")

    page = next(p for p in iter_pages(tmp_path / "crawl" / "warc" / "textpipe-00000.warc.gz") if p.status == 200)
    show("page", page.body[:200])
    with pytest.raises(UnicodeDecodeError):
        page.body.decode("utf-8")

    clean(tmp_path / "crawl", tmp_path / "corpus")
    document = next(sources.iter_documents(tmp_path / "corpus"))
    show("clean", f"{document.lang} {document.charset} (from {document.charset_source}): {document.text}")
    assert (document.lang, document.charset, document.charset_source) == ("ko", "cp949", "meta")
    found, wanted = set(words(document.text)), set(words(truth))
    assert len(found & wanted) >= 0.95 * len(wanted)

    normalized = NFC().normalize_str(unicodedata.normalize("NFD", document.text))
    show("normalizer", normalized)
    assert normalized == document.text

    pre_tokens = ByteLevel(add_prefix_space=False).pre_tokenize_str(normalized)
    show("pre-tokenizer", pre_tokens)
    assert [normalized[start:end] for _, (start, end) in pre_tokens] == GPT2.findall(normalized)

    tokenizer = Tokenizer(BPE())
    tokenizer.normalizer = NFC()
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(vocab_size=500, special_tokens=["<|endoftext|>"], initial_alphabet=ByteLevel.alphabet())
    tokenizer.train_from_iterator([document.text], trainer)
    show("trainer", tokenizer)
    assert tokenizer.get_vocab_size() == 500

    encoding = tokenizer.encode(document.text)
    show("encoding", list(zip(encoding.tokens, encoding.ids, encoding.offsets, strict=True))[:12])
    assert tokenizer.decode(encoding.ids) == document.text

    tokenizer.save(tmp_path / "tokenizer.json")
    import tokenizers

    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode(document.text)
    assert (theirs.ids, theirs.offsets) == (encoding.ids, encoding.offsets)

    documents = [document] * 8
    packed = pack(documents, tokenizer, tmp_path / "shards", PackConfig(), val_documents=[document])
    show("pack", packed.counts)
    assert isinstance(packed, PackedData)
    assert packed.counts["val"]["tokens"] == len(encoding.ids) + 1  # and the end-of-text token

    model = GptConfig(vocab_size=500, context=64, layers=2, heads=2, width=64)
    config = TrainConfig(steps=60, batch_size=16, learning_rate=3e-3, warmup_steps=5, device="cpu", sample_tokens=0)
    run = Trainer(model, packed, config, out=tmp_path / "run").run()
    show("train", f"loss {run.loss:.3f}, held out {run.val_loss:.3f}, unigram entropy {run.unigram_loss:.3f}")
    assert run.val_loss < run.unigram_loss

    trained, own_tokenizer, facts = load_model(tmp_path / "run")
    assert own_tokenizer.sha256 == tokenizer.sha256
    prompt = document.text[:8]
    sampling = SamplingConfig(max_tokens=30, seed=1)
    text = generate(trained, own_tokenizer, [prompt], sampling, eos_id=facts["eos_id"])[0]
    show("generate", prompt + text)
    assert text
    assert "".join(stream(trained, own_tokenizer, prompt, sampling, eos_id=facts["eos_id"])) == text

    write_report([tmp_path / name for name in ("crawl", "corpus", "shards", "run")], tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    show("report", f"{len(html):,} characters of HTML")
    assert "unigram entropy" in html
    assert "<script" not in html
