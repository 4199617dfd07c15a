"""Posts bodies from a file, a line each, to one URL over some connections: whoever measures a service must not share
its interpreter. Prints the answers' statuses and how often each came, as JSON."""

from __future__ import annotations

import http.client
import json
import sys
import threading
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

HEADERS = {"content-type": "application/json", "prefer": "respond-async"}


def post(url: str, bodies: list[bytes], connections: int) -> Counter[int]:
    """All of them, each once."""
    parts, statuses, lock = urlsplit(url), Counter[int](), threading.Lock()

    def run(place: int) -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        mine = Counter[int]()
        for body in bodies[place::connections]:
            connection.request("POST", parts.path, body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            mine[answer.status] += 1
        connection.close()
        with lock:
            statuses.update(mine)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(connections)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return statuses


if __name__ == "__main__":
    print(json.dumps(post(sys.argv[1], Path(sys.argv[2]).read_bytes().splitlines(), int(sys.argv[3]))))
