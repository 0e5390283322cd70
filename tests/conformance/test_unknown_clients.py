"""Where the server cannot tell who asks, it replies in both forms at once, and every SDK finds its own."""

import json

from .conftest import script_of
from .nameless import nameless
from .programs import run_sdk
from .selection import over_every_sdk


@over_every_sdk
def test_reply_in_both_forms_is_read_by_every_sdk(sdk, server, environment_of, tmp_path):
    replies: list[bytes] = []
    script = script_of(sdk, "crossing")
    with nameless(server, replies) as address:
        begun = run_sdk(sdk, environment_of(sdk), script, tmp_path, address).report()["said"]
        went_on = run_sdk(sdk, environment_of(sdk), script, tmp_path, address, begun["id"]).report()
    assert all({"outputs", "steps"} <= set(json.loads(reply)) for reply in replies)
    assert len(replies) == 3
    assert begun["text"]
    assert went_on["read"] == begun
    assert "Phil" in went_on["said"]["text"]
