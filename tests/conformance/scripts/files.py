"""Files: uploaded from a path and from memory, polled, listed, read back and deleted; and what is refused."""

import hashlib
import io
import json
import os
import time

from google import genai

client = genai.Client()


def settled(file):
    deadline = time.monotonic() + 60
    while client.files.get(name=file.name).state == "PROCESSING":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return client.files.get(name=file.name)


def refusal(call):
    try:
        call()
    except Exception as error:
        seen = {name: getattr(error, name, None) for name in ("code", "status", "message")}
        return {"error": type(error).__name__, **seen}
    return None


def shown(file):
    return {
        "name": file.name,
        "display_name": file.display_name,
        "mime_type": file.mime_type,
        "size": file.size_bytes,
        "state": str(getattr(file.state, "value", file.state)),
        "source": str(getattr(file.source, "value", file.source)),
        "uri": file.uri,
        "sha256": file.sha256_hash,
        "lives": (file.expiration_time - file.create_time).total_seconds(),
    }


with open("notes.txt", "w") as notes:
    notes.write("Hello from a path.\n")
large = os.urandom(17 * 1024 * 1024)
with open("noise.bin", "wb") as noise:
    noise.write(large)
name = f"conformance-{os.getpid()}-{time.time_ns() % 10**9}"

first = settled(client.files.upload(file="notes.txt", config={"display_name": "My notes"}))
second = settled(client.files.upload(file="noise.bin", config={"mime_type": "application/x-noise"}))
third = settled(client.files.upload(file=io.BytesIO(b"from memory"), config={"mime_type": "text/plain", "name": name}))
empty = settled(client.files.upload(file=io.BytesIO(b""), config={"mime_type": "text/plain"}))
wrong = settled(client.files.upload(file=io.BytesIO(b"no picture"), config={"mime_type": "image/png"}))

taken = {"mime_type": "text/plain", "name": name}
misnamed = {"mime_type": "text/plain", "name": "files/-Bad-"}
report = {
    "path": shown(first),
    "large": {**shown(second), "sent": hashlib.sha256(large).hexdigest()},
    "memory": {**shown(third), "asked": name},
    "empty": shown(empty),
    "failed": {**shown(wrong), "error": wrong.error.message, "code": wrong.error.code},
    "listed": [file.name for file in client.files.list(config={"page_size": 2})],
    "downloaded": client.files.download(file=third.name).decode(),
    "name_taken": refusal(lambda: client.files.upload(file=io.BytesIO(b""), config=taken)),
    "bad_name": refusal(lambda: client.files.upload(file=io.BytesIO(b""), config=misnamed)),
    "get_unknown": refusal(lambda: client.files.get(name="files/nosuchfile")),
}
client.files.delete(name=third.name)
report |= {
    "get_deleted": refusal(lambda: client.files.get(name=third.name)),
    "delete_deleted": refusal(lambda: client.files.delete(name=third.name)),
    "listed_later": [file.name for file in client.files.list()],
}
print(json.dumps(report))
