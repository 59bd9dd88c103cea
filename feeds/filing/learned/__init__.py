"""The learned classifier: what rules have filed → a model that files what no rule does, or abstains.

Here is the model's file in the data folder. I/O: one file. Absent or damaged, the desk works without.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.errors import DeskError
from feeds.files import Refused, read_regular

if TYPE_CHECKING:
    from feeds.filing.learned.text_model import Model

MODEL_FILE = Path("model") / "filing.npz"
"""Where the model lies below the data folder."""
MOST_FILE_BYTES = 64 << 20

log = logging.getLogger(__name__)


def read_model(path: Path) -> Model | None:
    """The model at *path*; None where there is none. Raises DeskError where it can't be used."""
    try:
        body = read_regular(path, most_bytes=MOST_FILE_BYTES)
    except FileNotFoundError:
        return None
    except Refused as error:
        raise DeskError(f"{path} is not read: {error.strerror}", remedy="run `wiredesk learn` again") from error
    except OSError as error:
        raise DeskError(f"{path} can't be read: {error.strerror}", remedy="chmod or chown it") from error
    from feeds.filing.learned.text_model import model_from_bytes

    return model_from_bytes(body)


def load_model(path: Path) -> Model | None:
    """The model at *path*; None where there is none, or where it can't be used, which is logged."""
    try:
        return read_model(path)
    except DeskError as error:
        log.warning("not using %s: %s", path, error)
        return None


def save_model(model: Model, path: Path) -> int:
    """Put *model* at *path*, whole or not at all; its size in bytes."""
    from feeds.filing.learned.text_model import model_to_bytes

    body = model_to_bytes(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with half.open("wb") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return len(body)
