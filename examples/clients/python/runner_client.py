"""A client of a runner exposure, with the standard library alone: values, typed errors, and items as they come."""

import http.client
import json
from urllib.parse import quote, urlsplit

ITEMS = "application/x-runner-items+ndjson"


class RunnerError(Exception):
    """What a server says that a call failed with; `id` and `data` where the task declares the error."""

    def __init__(self, error, status=None):
        super().__init__(error.get("message", "The call failed."))
        self.code, self.status = error.get("code"), status
        self.id, self.data = error.get("id"), error.get("data")


class StreamLost(Exception):
    """A stream ended without the line that ends it."""


class Client:
    """Calls the tasks below a base URL, as "http://127.0.0.1:7070/__runner". Each call has a connection of its own."""

    def __init__(self, base_url, token=None, timeout=45):
        self._url, self._token, self._timeout = urlsplit(base_url), token, timeout

    def task(self, task_id, value=None):
        """Runs a task, and returns its result."""
        connection, response = self._post(f"/task/{quote(task_id, safe='')}", {"input": value})
        try:
            return self._envelope(response).get("result")
        finally:
            connection.close()

    def stream(self, task_id, value=None):
        """Yields the items of a streamed task; what the task returns is the value of `StopIteration`."""
        connection, response = self._post(f"/task/{quote(task_id, safe='')}", {"input": value}, accept=ITEMS)
        try:
            for fields in self._lines(response):
                if "item" in fields:
                    yield fields["item"]
                elif fields.get("ok") is True:
                    return fields.get("result")
                # Any other object is of a later version.
        finally:
            connection.close()  # ends the task, where it has not ended

    def subscribe(self, events, after=None):
        """
        Yields the lines of a subscription: first {"open": {id: place}}, then {"event", "id", "item"} and {"gap": ...}. To go on
        after a `StreamLost`, pass the place of the last line of each event as `after`.
        """
        body = {"input": {"events": list(events), "after": after or {}}}
        connection, response = self._post("/subscribe", body, accept=ITEMS)
        try:
            for fields in self._lines(response):
                if fields.get("ok") is True:
                    return
                if "open" in fields or "event" in fields or "gap" in fields:
                    yield fields
        finally:
            connection.close()

    def _lines(self, response):
        """The lines of a reply as objects, until one that ends it."""
        if response.headers.get_content_type() != ITEMS:
            self._envelope(response)
            raise TypeError("The reply is no stream.")
        try:
            for line in response:
                if not line.endswith(b"\n"):
                    break
                if line == b"\n":  # a heartbeat
                    continue
                fields = json.loads(line)
                if fields.get("ok") is False and "item" not in fields:
                    raise RunnerError(fields["error"])
                yield fields
                if fields.get("ok") is True and "item" not in fields:
                    return
        except http.client.HTTPException as error:
            raise StreamLost("The connection broke.") from error
        raise StreamLost("The stream ended without the line that ends it.")

    def _post(self, path, body, accept="application/json"):
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname, self._url.port, timeout=self._timeout)
        headers = {"content-type": "application/json; charset=utf-8", "accept": accept}
        if self._token is not None:
            headers["x-runner-token"] = self._token
        connection.request("POST", self._url.path.rstrip("/") + path, json.dumps(body).encode(), headers)
        return connection, connection.getresponse()

    @staticmethod
    def _envelope(response):
        envelope = json.loads(response.read())
        if envelope.get("ok") is not True:
            raise RunnerError(envelope.get("error") or {}, response.status)
        return envelope
