import { fetchExposure, r, useFetchContext, type InputFile } from "@bluelibs/runner";

export const add = r
  .task("shop.tasks.add")
  .run(async (input: { a: number; b: number }) => input.a + input.b)
  .build();

/** A file is read as it arrives, from a stream of the web. */
export const size = r
  .task("shop.tasks.size")
  .run(async ({ file }: { file: InputFile<ReadableStream<Uint8Array>> }) => {
    const reader = file.stream().getReader();
    let bytes = 0;
    for (let step = await reader.read(); !step.done; step = await reader.read()) bytes += step.value.byteLength;
    return bytes;
  })
  .build();

/** What the platform says of the request is in its context. */
export const caller = r
  .task("shop.tasks.caller")
  .run(async () => useFetchContext().info.remoteAddress ?? "unknown")
  .build();

const server = r.tunnel.server("shop.server").tasks([add, size, caller]).build();

export const shop = r
  .resource<{ token: string }>("shop")
  .register(({ token }) => [add, size, caller, server, fetchExposure.with({ http: { auth: { token } } })])
  .build();
