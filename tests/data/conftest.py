"""One thread: these models are small, and the machine is shared with other tests."""

import torch

torch.set_num_threads(1)
