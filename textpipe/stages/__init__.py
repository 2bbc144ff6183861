"""What every stage of a tokenizer shares: how it is compared, printed and written, and the patterns it may hold."""

from textpipe.stages.pattern import Regex
from textpipe.stages.stage import Stage, StageSequence

__all__ = ["Regex", "Stage", "StageSequence"]
