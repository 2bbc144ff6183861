"""Experiments run in one thread, as their figures are given."""

import torch

torch.set_num_threads(1)
