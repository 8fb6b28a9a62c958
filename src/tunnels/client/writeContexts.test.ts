import { defineAsyncContext } from "../../define/asyncContext";
import { TunnelError } from "../../errors/tunnelError";
import { PlatformAdapter, getPlatform, setPlatform } from "../../platform/platform";
import { Serializer } from "../../serializer/Serializer";
import { thrownBy } from "../../__tests__/support/failures";
import { writeContexts } from "./writeContexts";

const serializer = new Serializer();
const fail = (code: string, message: string) => new TunnelError(code, message);
const user = defineAsyncContext<unknown>({ id: "app.user" });
const trace = defineAsyncContext<string>({ id: "app.trace", serialize: (value) => `<${value}>` });

it("writeContexts writes active contexts by id, each in its own form, and skips the others", () => {
  const header = user.provide({ id: 7 }, () =>
    trace.provide("t", () => writeContexts([user, trace], serializer, fail)),
  );

  expect(JSON.parse(String(header))).toEqual({ "app.user": '{"id":7}', "app.trace": "<t>" });
  expect(user.provide(1, () => writeContexts([user, trace], serializer, fail))).toBe('{"app.user":"1"}');
  expect(writeContexts([user, trace], serializer, fail)).toBeUndefined();
});

it("writeContexts writes nothing but printable ASCII, whatever the value and the serializer", () => {
  const text = 'é \u{1f600} \u2028 \x7f \n "quoted"';
  const pretty = new Serializer({ pretty: true });

  const header = String(user.provide(text, () => writeContexts([user], pretty, fail)));

  expect(header).toMatch(/^[\x20-\x7e]*$/);
  expect(user.parse((JSON.parse(header) as Record<string, string>)["app.user"] ?? "")).toBe(text);
});

it("writeContexts refuses more than 8 KiB, naming the contexts", () => {
  const fits = "x".repeat(8192 - '{"app.user":"\\"\\""}'.length);
  const write = (value: string) => user.provide(value, () => writeContexts([user], serializer, fail));

  expect(write(fits)).toHaveLength(8192);
  const error = thrownBy(() => write(`${fits}x`));
  expect(error).toBeInstanceOf(TunnelError);
  expect(error).toMatchObject({ code: "CONTEXT_TOO_LARGE", message: expect.stringContaining("app.user") as string });
});

it("writeContexts lets the mistakes of a serialize hook be seen", () => {
  const broken = defineAsyncContext<string>({
    id: "app.broken",
    serialize() {
      throw new Error("no text for it");
    },
  });

  expect(() => broken.provide("x", () => writeContexts([broken], serializer, fail))).toThrow("no text for it");
});

it("writeContexts asks anything that looks like a context, since it may come from elsewhere", () => {
  const foreign = { id: "x.active", use: () => 1, serialize: String } as never;
  const inactive = {
    id: "x.inactive",
    use() {
      throw new Error("not active");
    },
    serialize: String,
  } as never;

  expect(writeContexts([foreign, inactive], serializer, fail)).toBe('{"x.active":"1"}');
});

it("writeContexts skips every context where there is no AsyncLocalStorage", () => {
  const platform = getPlatform();
  setPlatform(new PlatformAdapter("edge"));
  try {
    expect(writeContexts([user], serializer, fail)).toBeUndefined();
  } finally {
    setPlatform(platform);
  }
});
