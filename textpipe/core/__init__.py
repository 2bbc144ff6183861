"""The native engine: C++17 headers in ``cpp/``, thin Cython over them; it knows no files, no network and no tensors."""
