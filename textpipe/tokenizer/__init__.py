"""The tokenizer: its stages composed, compiled where they are native, and everything asked of them.

From the ground up: `pipeline` runs the stages, `composition` holds and changes them, `fitting` cuts and pads what they
give, `encoder` encodes and decodes, `asynchronous` does so without waiting, and `tokenizer` loads, saves and trains.
"""

from textpipe.tokenizer.tokenizer import Tokenizer

__all__ = ["Tokenizer"]
