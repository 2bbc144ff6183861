"""File formats of tokenizers, in and out."""
