"""What a model is trained for: a task gives the batch of a step and turns model and batch into (sum of the loss, number
of targets).

base                       what the loop asks of a task
choosing                   which task trains which architecture, and on which data
language_modelling         predict each token from those before it
masked_language_modelling  predict hidden tokens from both sides
sequence_to_sequence       write a target from a source
fine_tuning                tell labels, numbers, tags or answers, from examples
encoder_tasks              the interface of those four
classification, regression, tagging, question_answering    each of them
prediction                 what a fine-tuned encoder says of texts
windows                    what a fine-tuned encoder reads, in batches
label_alignment            labels of characters as labels of tokens, and back

The loop divides by the number of targets of the whole step, over all micro-batches and ranks, so that how a step is cut
never changes its loss.
"""
