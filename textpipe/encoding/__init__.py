"""What encoding a text gives: the fields of its tokens, and their cutting and padding to a length.

What enters: columns that a tokenizer filled. What leaves: :class:`Encoding`, and the
settings of padding and truncation.
"""

from textpipe.encoding.columns import COLUMNS
from textpipe.encoding.encoding import Encoding, special_columns

__all__ = ["COLUMNS", "Encoding", "special_columns"]
