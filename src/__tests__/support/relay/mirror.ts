import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** Answers with what it received, as JSON. */
export const mirror = () =>
  createServer((req, res) => {
    void text(req).then((body) => {
      const { method, url, headers } = req;
      res.setHeader("content-type", "application/json").setHeader("etag", '"1"').setHeader("x-app", "mirror");
      res.end(JSON.stringify({ method, url, headers, body }));
    });
  });

/** What the application received. */
export const received = (body: string) =>
  JSON.parse(body) as { url: string; headers: Record<string, string>; body: string };
