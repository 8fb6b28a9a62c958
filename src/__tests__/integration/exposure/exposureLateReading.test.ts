import { text } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { globals, r, useExposureContext } from "../../../node/index";
import { createDeferred, type Deferred } from "../../support/deferred";
import { formHeaders, formOf, manifestPart, startExposure, type TestExposure } from "../../support/exposure";
import { soon } from "../../support/soon";

/** A validator that holds requests until a test lets them go on: their body is read long after their head came. */
const validatorThatWaits = (asked: Deferred, answer: Promise<unknown>) =>
  r
    .task("validator")
    .tags([globals.tags.authValidator])
    .run(async () => {
      asked.resolve();
      await answer;
      return { ok: true };
    })
    .build();

/** Reads a request to its end, if it has one. */
const drain = r
  .task("drain")
  .run(async (_input: unknown) => text(useExposureContext().req))
  .build();

const body = '{"input":1}';
const gzip = "content-encoding: gzip";

describe("a caller that leaves while a validator is asked", () => {
  it.each<[string, string | Buffer, string[]]>([
    ["JSON", body, []],
    ["coded JSON", gzipSync(body), [gzip]],
    ["a coded form", gzipSync(formOf(manifestPart({}))), [gzip, `content-type: ${formHeaders["content-type"]}`]],
    ["coded bytes", gzipSync(body), [gzip, "content-type: application/octet-stream"]],
    ["plain bytes", body, ["content-type: application/octet-stream"]],
  ])(
    "a caller that leaves while a validator is asked gives its place back at once, having sent half or all of %s",
    async (_what, content, headers) => {
      for (const missingBytes of [0, 3]) {
        const [asked, answer, left] = [createDeferred(), createDeferred(), createDeferred()];
        await using exposure = await startExposure(
          [drain],
          { compression: { requests: true }, limits: { closeMs: 5000 } },
          [validatorThatWaits(asked, answer.promise)],
        );
        exposure.handlers.server?.once("connection", (socket) => socket.once("close", left.resolve));
        leave(exposure, content, headers, missingBytes, asked.promise);
        await soon(left.promise);

        answer.resolve();

        // It waits for whatever is being served.
        await soon(exposure.handlers.close());
      }
    },
  );

  function leave(
    exposure: TestExposure,
    content: string | Buffer,
    headers: string[],
    missingBytes: number,
    asked: Promise<void>,
  ): void {
    const bytes = Buffer.from(content);
    const head = ["POST /__runner/task/drain HTTP/1.1", "host: x", `content-length: ${bytes.length}`, ...headers];
    const connection = exposure.connect();
    connection.write(`${head.join("\r\n")}\r\n\r\n`);
    connection.write(bytes.subarray(0, bytes.length - missingBytes));
    void asked.then(() => connection.socket.destroy());
  }
});
