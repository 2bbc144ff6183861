"""What a model is trained for: a task turns a model and a batch into (sum of the loss, number of targets).

The loop divides by the number of targets of the whole step, over all micro-batches and ranks, so that how a step is cut
never changes its loss.
"""
