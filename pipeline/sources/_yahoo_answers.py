"""Answers kept on disk as they come, so that an update that was stopped asks only for what is missing."""

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from pipeline.sources._yahoo_process import Answer, Question

MAX_AGE = 4 * 3600.0  # seconds; prices of an older answer may have been rewritten since


class KeptAnswers:
    """The answers of one folder. Each is a file of a checksum and JSON, written whole or not at all."""

    def __init__(self, folder: Path, day: str) -> None:
        """Open the folder and clear it of what is too old. Answers are used again on the same `day` only."""
        self._folder, self._day = folder, day
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        for path in folder.iterdir():
            if not _is_young(path):
                path.unlink()

    def load(self, question: Question) -> Answer | None:
        """Return the kept answer to exactly this question; None where there is none, or it is old or damaged."""
        path = self._path(question)
        with suppress(OSError, ValueError):
            digest, text = path.read_text(encoding="utf-8").split("\n", 1)
            if _is_young(path) and digest == _digest(text):
                answer: Answer = json.loads(text)
                return answer
        return None

    def drop(self, question: Question) -> None:
        """Forget the kept answer: it is asked for anew."""
        self._path(question).unlink(missing_ok=True)

    def save(self, question: Question, answer: Answer) -> None:
        """Keep an answer. A disk that is full costs the comfort of a resume, not the update."""
        path = self._path(question)
        unfinished = path.with_suffix(".unfinished")
        text = json.dumps(answer)
        with suppress(OSError):
            unfinished.write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
            unfinished.replace(path)

    def _path(self, question: Question) -> Path:
        return self._folder / f"{_digest(json.dumps([question, self._day], sort_keys=True))}.json"


def _is_young(path: Path) -> bool:
    return time.time() - path.stat().st_mtime < MAX_AGE


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
