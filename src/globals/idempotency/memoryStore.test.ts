import { describeIdempotencyStore } from "../../__tests__/support/describeIdempotencyStore";
import { memoryIdempotencyStore } from "./memoryStore";

describeIdempotencyStore("the memory store", {
  isOneHolder: true,
  async open() {
    const store = memoryIdempotencyStore();
    return { first: store, second: store, async [Symbol.asyncDispose]() {} };
  },
});
