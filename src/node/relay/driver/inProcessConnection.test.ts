import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";
import { soon } from "../../../__tests__/support/soon";
import { duplexPair } from "./inProcessConnection";

it("one end of a connection in this process reads what the other wrote before it closed", async () => {
  const [reader, writer] = duplexPair();
  const sent = Buffer.alloc(10_000, "sent");
  writer.end(sent, () => writer.destroy());
  await soon(once(writer, "close"));
  await nextTurn();

  expect((await soon(buffer(reader))).equals(sent)).toBe(true);
});

it("one end of a connection in this process is closed when the other is cut", async () => {
  const [left, right] = duplexPair();
  left.destroy();

  await expect(soon(once(right, "close"))).resolves.toEqual([]);
});

it("one end of a connection in this process can write on after the other has closed, and end", async () => {
  const [left, right] = duplexPair();
  const written = new Promise((resolve) => right.write(Buffer.alloc(1_000_000), () => resolve("written")));
  left.end(() => left.destroy());
  right.resume();

  expect(await soon(written)).toBe("written");
  right.end(Buffer.alloc(1_000_000));
  await soon(once(right, "finish"));
});
