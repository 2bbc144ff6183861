"""Our models as those of `transformers`, and back.

names     which parameter is which
"""
