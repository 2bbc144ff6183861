"""Planning: what a training would take on a cluster, by arithmetic alone, before a GPU is rented.

anatomy   what a model is made of, counted
cluster   GPUs, how many, and how they are joined
memory    bytes on a GPU, component by component
layouts   ways to share a run between GPUs, and which of them fit
plan      parameters, operations, days and cost, as text and as data
"""

from textpipe.planning.cluster import GPUS, ClusterConfig
from textpipe.planning.plan import Plan, make_plan

__all__ = ["GPUS", "ClusterConfig", "Plan", "make_plan"]
