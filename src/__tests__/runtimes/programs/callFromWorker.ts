/** A worker that makes all calls when it is fetched; the address and its name are in the body. */
import { universalCalls } from "../app/calls";
import type { Address } from "../app/definitions";
import { tryAll } from "../app/report";

interface Order {
  readonly address: Address;
  readonly key: string;
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { address, key } = (await request.json()) as Order;
    return Response.json(await tryAll(universalCalls(address, key)));
  },
};
