"""Files that hold secrets: plain files that nobody else may read, and nothing that could block."""

from __future__ import annotations

import os
import resource
import stat
from pathlib import Path

_LARGEST = 1_000_000


class SecretFileError(ValueError):
    """A file that cannot hold a secret; the message names the remedy and repeats no content."""


def secret_text(path: Path) -> str:
    """The text of such a file. Raises SecretFileError.

    From then on this process leaves no core file, in which the secret would stand.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    try:
        # Opened like this a FIFO does not wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise SecretFileError(f"the key file {path} cannot be read: {error.strerror}") from None
    try:
        _check(path, os.fstat(handle))
        return os.read(handle, _LARGEST).decode()
    except UnicodeDecodeError:
        raise SecretFileError(f"the key file {path} is not text") from None
    finally:
        os.close(handle)


def _check(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretFileError(f"the key file {path} is not a file; give one that holds the keys")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise SecretFileError(
            f"others may read {path}, so it is no secret; `chmod 600 {path}` fixes that "
            "(make new keys if others had access to this machine)"
        )
    if found.st_size > _LARGEST:
        raise SecretFileError(f"the key file {path} is too large to be one")
