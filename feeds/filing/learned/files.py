"""The model's file in the data folder. I/O: one file. Absent or damaged, the desk works without."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from feeds.errors import DeskError

if TYPE_CHECKING:
    from feeds.filing.learned.model import Model

MODEL_FILE = Path("model") / "filing.npz"
"""Where the model lies below the data folder."""
MOST_FILE_BYTES = 64 << 20

log = logging.getLogger(__name__)


def load_model(path: Path) -> Model | None:
    """The model at *path*; None where there is none, or where it can't be used, which is logged."""
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise DeskError(f"the learned model has {path.stat().st_size} bytes", remedy="run `wiredesk learn` again")
        body = path.read_bytes()
    except OSError:
        return None
    except DeskError as error:
        log.warning("not using %s: %s", path, error)
        return None
    try:
        from feeds.filing.learned.model import model_from_bytes

        return model_from_bytes(body)
    except ImportError:
        log.warning("not using %s: it needs numpy; `pip install wiredesk[learn]` brings it", path)
    except DeskError as error:
        log.warning("not using %s: %s", path, error)
    return None


def save_model(model: Model, path: Path) -> int:
    """Put *model* at *path*, whole or not at all; its size in bytes."""
    from feeds.filing.learned.model import model_to_bytes

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
