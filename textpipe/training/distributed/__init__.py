"""Training by several processes at once, on torch's own engine, under ``torchrun``.

ranks          who takes part, what they tell each other, and how a failure is said once
shares         which sequences of a step are whose
parallel       a model copied to every rank (DDP), sharded over them (FSDP2), or cut inside its layers
tensor_plans   where a layer is cut
pipeline       a model whose blocks are spread over the ranks
sharded_files  tensors of many ranks to and from one safetensors file

``torchrun --nproc-per-node 2 -m textpipe train gpt shards --out run`` is all there is to type. The batch of a step, the
order of the data and the number a loss is divided by do not depend on how many ranks there are, and neither does what a
checkpoint holds: a run may go on with more ranks or fewer.
"""

from textpipe.training.distributed.ranks import Ranks, joined

__all__ = ["Ranks", "joined"]
