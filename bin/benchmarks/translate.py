"""bin/bench translate: a token of a target by our Transformer beside transformers' Marian, and by our recurrent model.

Transformer and Marian have the same weights and must write the same ids, greedily and with beams, before they are
timed; they take turns in one process, and the least time of each counts. The recurrent model has no peer there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch

from textpipe.generation.beam import BeamConfig
from textpipe.generation.translation import translate_ids
from textpipe.interchange.families import Ids, config_of
from textpipe.interchange.names import to_theirs
from textpipe.nn.architectures import new_model
from textpipe.nn.shapes import Seq2SeqConfig, TransformerConfig

BEGIN, SOURCE_TOKENS = 1, 24


def their_twin(ours: torch.nn.Module) -> torch.nn.Module:
    """transformers' MarianMTModel with our weights."""
    import transformers

    keys = config_of(ours.config, Ids(eos=0, pad=2, begin=BEGIN))
    made = transformers.MarianMTModel(transformers.MarianConfig(**keys))
    found = made.load_state_dict(to_theirs(ours.config, ours.state_dict()), strict=False)
    if found.unexpected_keys:
        raise SystemExit(f"no place for {found.unexpected_keys}")
    made.tie_weights()
    return made.eval()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="bin/bench translate")
    for name, value in {"vocab-size": 2048, "width": 128, "layers": 3, "length": 60, "batch": 1, "rounds": 20}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(chosen.threads)
    pair = {"vocab_size": chosen.vocab_size, "context": 256, "width": chosen.width}
    layers = {"encoder_layers": chosen.layers, "decoder_layers": chosen.layers}
    ours = new_model(TransformerConfig(**pair, **layers, heads=4)).eval()
    recurrent = new_model(Seq2SeqConfig(**pair)).eval()
    theirs = their_twin(ours)
    drawn = torch.Generator().manual_seed(3)
    source_BS = torch.randint(3, chosen.vocab_size, (chosen.batch, SOURCE_TOKENS), generator=drawn)
    sources = source_BS.tolist()
    for beams in (1, 4):
        search = BeamConfig(beams=beams, max_tokens=chosen.length)
        settings = {"max_new_tokens": chosen.length, "min_new_tokens": chosen.length, "do_sample": False}
        settings |= {"num_beams": beams, "forced_eos_token_id": None}
        writers: dict[str, Callable[[], list[list[int]]]] = {
            "textpipe": lambda search=search: translate_ids(ours, sources, search, eos_id=-1, before=[BEGIN]),
            "transformers": lambda settings=settings: theirs.generate(source_BS, **settings)[:, 1:].tolist(),
            "textpipe, recurrent": lambda search=search: translate_ids(
                recurrent, sources, search, eos_id=-1, before=[BEGIN]
            ),
        }
        texts = {name: write() for name, write in writers.items()}
        if texts["textpipe"] != texts["transformers"]:
            raise SystemExit(f"the ids differ with {beams} beams")
        times = dict.fromkeys(writers, float("inf"))
        for _ in range(chosen.rounds):
            for name, write in writers.items():
                start = time.perf_counter()
                write()
                times[name] = min(times[name], time.perf_counter() - start)
        for name, seconds in times.items():
            ratio = seconds / times["textpipe"]
            print(f"{beams} beams   {name:20} {1e3 * seconds / chosen.length:8.2f} ms a token  {ratio:.2f}×")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
