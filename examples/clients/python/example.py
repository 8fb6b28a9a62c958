"""Calls the server of the test: python3 example.py <base URL> <token>"""

import sys

from runner_client import Client, RunnerError

client = Client(sys.argv[1], token=sys.argv[2])

print("sum", client.task("app.add", {"a": 1, "b": 2}))
try:
    client.task("app.buy", {"count": 3})
except RunnerError as error:
    print("declared", error.status, error.id, error.data["count"])
for row in client.stream("app.rows", {"to": 3}):
    print("row", row["id"], row["name"])
try:
    client.task("app.rows", {"to": 3})
except RunnerError as error:
    print("refused", error.status, error.code)
for line in client.subscribe(["app.placed"]):
    if "open" in line:
        client.task("app.place", {"order": 7})
    elif "event" in line:
        print("event", line["event"], line["item"]["order"])
        break
