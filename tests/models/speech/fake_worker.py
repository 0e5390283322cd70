"""A worker that does as its orders say: the real frames and the real process, without an engine.

python -m models.speech.fake_worker
"""

import os
import sys
import time
from typing import Any

from turnwise.models.speech.worker import Job, Missing, Write, serve


def set_up(orders: dict[str, Any]) -> tuple[dict[str, Any], Job]:
    if orders.get("missing"):
        raise Missing("needs a part: pip install part")
    if orders.get("broken"):
        raise ValueError("the weights cannot be read")

    def job(orders: dict[str, Any], write: Write) -> None:
        print("a library that prints")  # noqa: T201
        sys.stdout.flush()
        match orders["do"]:
            case "speak":
                for _ in range(orders.get("pieces", 1)):
                    write(b"ab" * 100)
            case "fail":
                raise ValueError("cannot say this")
            case "die":
                write(b"ab")
                os.write(2, b"out of memory\n")
                os._exit(3)
            case "sleep":
                write(b"ab")
                time.sleep(600)

    return {"pid": os.getpid()}, job


if __name__ == "__main__":
    serve(set_up)
