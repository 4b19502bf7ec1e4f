"""Reads server-sent events with the standard library only, and prints a line for each entry: the number
of the reader and the entry ID. Also prints "N followed" when reader N first follows the room, and
"N closed" if it is refused.

    python3 events.py URL COUNT
"""

import json
import sys
import threading
import time
import urllib.error
import urllib.request

url, count = sys.argv[1], int(sys.argv[2])


def report(reader, what):
    sys.stdout.write(f"{reader} {what}\n")
    sys.stdout.flush()


def read(reader):
    cursor, retry, following = "", 1.0, False
    while True:
        request = urllib.request.Request(url, headers={"Accept": "text/event-stream"})
        if cursor:
            request.add_header("Last-Event-ID", cursor)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                event = {}
                for line in response:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name:
                        event[name] = value
                        continue
                    retry = int(event.get("retry", retry * 1000)) / 1000
                    cursor = event.get("id", cursor)
                    if event.get("event") == "followed" and not following:
                        following = True
                        report(reader, "followed")
                    if event.get("event") == "entry":
                        report(reader, json.loads(event["data"])["id"])
                    event = {}
        except urllib.error.HTTPError:
            report(reader, "closed")
            return
        except OSError:
            pass  # the server is down
        time.sleep(retry)


for reader in range(count):
    threading.Thread(target=read, args=(reader,)).start()
