"""`python led.py serve ...`: turnwise, in a process for which some names of the public internet lead to loopback.

The names and their ports are in the variable `LED_NAMES`, as JSON: `{"www.example.org": 8443}`. Only the answer to the
question where a name leads is another one. Everything else is as it always is: the names themselves, the guard that
decides what may be reached, and TLS, which trusts the authority that `SSL_CERT_FILE` names.
"""

import json
import os
import sys
from typing import Any

import uvloop

NAMES: dict[str, int] = json.loads(os.environ["LED_NAMES"])

ask_the_system = uvloop.Loop.getaddrinfo


async def look_up(loop: uvloop.Loop, host: Any, port: Any, **options: Any) -> Any:
    """The addresses of a name: of one that is in the table, its port on loopback, whatever port is asked for."""
    name = str(host).removesuffix(".").lower()
    where = ("127.0.0.1", NAMES[name]) if name in NAMES else (host, port)
    return await ask_the_system(loop, *where, **options)


if __name__ == "__main__":
    uvloop.Loop.getaddrinfo = look_up
    sys.path.pop(0)  # this folder, which is no place to import from

    from turnwise.cli import main

    main()
