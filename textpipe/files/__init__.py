"""The only code that opens a file for writing.

What enters: bytes and a place. What leaves: files that, after a crash at any instant, are the old whole file or the new
whole file, never a part. The order is always: temporary name in the same folder → write all (short writes continued) →
flush and fsync → rename → fsync of the folder; on any failure the temporary file goes and the error is raised.

    replace_file      one file, whole          GrowingFile        one long file, usable after each sync
    write_bytes …     the same in one call     LineLog            JSON lines appended one by one
    publish_directory many files, at once      lock_directory     one writer a folder
    ScratchFile       one without a name, for what must not outlive the process
"""

from textpipe.files.growing import GrowingFile, LineLog
from textpipe.files.locking import lock_directory, refuse_unfinished
from textpipe.files.manifests import MANIFEST, publish_directory, read_manifest, sha256_file, write_manifest
from textpipe.files.replacing import (
    is_temporary,
    remove_temporaries,
    replace_file,
    write_bytes,
    write_json,
    write_text,
)
from textpipe.files.scratch import ScratchFile, ScratchPiece

__all__ = [
    "MANIFEST",
    "GrowingFile",
    "LineLog",
    "ScratchFile",
    "ScratchPiece",
    "is_temporary",
    "lock_directory",
    "publish_directory",
    "read_manifest",
    "refuse_unfinished",
    "remove_temporaries",
    "replace_file",
    "sha256_file",
    "write_bytes",
    "write_json",
    "write_manifest",
    "write_text",
]
