import { CallsByAddress, type AddressedCall } from "./callsByAddress";

interface Call extends AddressedCall<Call> {}

const create = (address: string): Call => ({ address, next: undefined });

test("calls are found by their addresses until they are deleted", () => {
  const calls = new CallsByAddress<Call>();
  const all = Array.from({ length: 2000 }, (_, n) => create(`_INBOX.a.${n.toString(36)}`));
  for (const call of all) calls.add(call);
  for (const call of all) expect(calls.get(call.address)).toBe(call);
  expect(new Set(calls.all())).toEqual(new Set(all));

  for (const call of all.filter((_, n) => n % 2 === 0)) calls.delete(call);
  expect(calls.count).toBe(1000);
  for (const [n, call] of all.entries()) expect(calls.get(call.address)).toBe(n % 2 === 0 ? undefined : call);
});

test("a call that was deleted refers to no other one, and may be deleted again", () => {
  const calls = new CallsByAddress<Call>();
  const [first, second, third] = ["ab", "ab", "ab"].map(create) as [Call, Call, Call];
  for (const call of [first, second, third]) calls.add(call);
  calls.delete(second);
  calls.delete(second);
  expect([second.next, calls.count]).toEqual([undefined, 2]);
  calls.delete(third);
  expect([calls.get("ab"), calls.count]).toEqual([first, 1]);
  expect([calls.get("ba"), calls.get("")]).toEqual([undefined, undefined]);
});
