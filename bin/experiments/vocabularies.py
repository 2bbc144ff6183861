"""bin/experiment vocabularies KO EN: language models of three vocabularies of one corpus, at equal compute.

Korean and English documents, the last twentieth of each held out. For each size of vocabulary a byte-level one is
learned from the training part, and the same model trained on it with the same number of floating-point operations: a
larger vocabulary costs more a token, so it reads fewer of them, each of more bytes. Bits per byte compare across
vocabularies; losses a token do not.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import characters
import running

from textpipe.data.packing import PackConfig, PackedData, pack
from textpipe.nn.shapes import GptConfig
from textpipe.records import Document
from textpipe.training.run_config import TrainConfig

_PARAGRAPHS = 64  # of a document; the files say nothing of where one of theirs ends


def documents(path: Path, *, held_out: bool) -> Iterator[Document]:
    """Stretches of paragraphs of a file: its last twentieth, or what stands before."""
    paragraphs = path.read_text(encoding="utf-8").split("\n\n")
    cut = len(paragraphs) - len(paragraphs) // 20
    chosen = range(cut, len(paragraphs), _PARAGRAPHS) if held_out else range(0, cut, _PARAGRAPHS)
    for start in chosen:
        end = min(start + _PARAGRAPHS, cut if not held_out else len(paragraphs))
        yield Document(id=f"{path.name}-{start}", text="\n\n".join(paragraphs[start:end]), lang=path.name[:2])


def packed(paths: list[Path], size: int, out: Path) -> PackedData:
    """The corpus in a vocabulary of this size, learned from its training part."""
    if out.exists():
        return PackedData(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    train, val = ([d for path in paths for d in documents(path, held_out=is_val)] for is_val in (False, True))
    tokenizer = characters.bytes_of((document.text for document in train), size)
    return pack(train, tokenizer, out, PackConfig(), val_documents=val)


def flops_a_token(model: GptConfig) -> float:
    """Of a training step: 6 for each number of a matrix, and the products of attention (Narayanan et al. 2021)."""
    return 6.0 * model.num_parameters + 12.0 * model.layers * model.width * model.context


def main(arguments: list[str]) -> int:
    parser = running.flags("vocabularies", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--vocab-size", type=int, action="append", help="repeated; 1024, 4096 and 16384 when absent")
    parser.add_argument("--compute", type=float, default=3e12, help="floating-point operations of each training")
    chosen = parser.parse_args(arguments)
    for size in chosen.vocab_size or (1024, 4096, 16384):
        data = packed(chosen.texts, size, chosen.out / f"data-{size}")
        model = GptConfig(vocab_size=data.vocab_size, context=128, layers=4, heads=4, width=128, layout="llama")
        steps = round(chosen.compute / flops_a_token(model) / (16 * model.context))
        config = TrainConfig(
            steps=steps,
            batch_size=16,
            optimizer="muon",
            learning_rate=6e-3,
            schedule="linear",
            final_share=0.0,
            warmup_steps=steps // 20,
            seed=chosen.seed,
            threads=chosen.threads,
            device="cpu",
            sample_tokens=0,
            validate_every=steps,
            checkpoint_every=max(1, steps // 4),
        )
        begin = time.process_time()
        result, _ = running.train(model, data, config, chosen.out / f"{size}-{chosen.compute:g}-seed{chosen.seed}")
        running.print_result(
            vocab_size=size,
            seed=chosen.seed,
            parameters=model.num_parameters,
            steps=result.steps,
            tokens=result.steps * 16 * model.context,
            bytes_a_token=data.train.text_bytes / data.train.num_tokens,
            val_loss=result.val_loss,
            bits_per_byte=result.val_bits_per_byte,
            train_cpu_s=time.process_time() - begin,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
