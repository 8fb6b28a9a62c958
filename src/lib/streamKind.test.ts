import { ServerResponse, type IncomingMessage } from "node:http";
import { PassThrough, Readable, Writable } from "node:stream";
import { streamKindOf } from "./streamKind";

it.each<[string, unknown, "node" | "web" | undefined]>([
  ["a readable of Node", new Readable(), "node"],
  ["a duplex of Node", new PassThrough(), "node"],
  ["a web stream", new ReadableStream(), "web"],
  ["a writable", new Writable(), undefined],
  ["a response", new ServerResponse({} as IncomingMessage), undefined],
  ["an observable", { pipe() {}, subscribe() {} }, undefined],
  ["a blob", new Blob(), undefined],
  ["nothing", null, undefined],
])("streamKindOf finds what kind of stream %s is", (_what, value, expected) => {
  expect(streamKindOf(value)).toBe(expected);
});
