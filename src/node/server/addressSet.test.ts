import { thrownBy } from "../../__tests__/support/failures";
import { createAddressSet } from "./addressSet";

it.each([
  ["10.0.0.0/8", "10.255.0.1", true],
  ["10.0.0.0/8", "11.0.0.1", false],
  ["10.0.0.0/8", "::ffff:10.1.2.3", true],
  ["10.0.0.0/8", "::ffff:a01:203", true],
  ["::ffff:10.1.2.3", "10.1.2.3", true],
  ["0.0.0.0/0", "8.8.8.8", true],
  ["0.0.0.0/0", "2001:db8::1", false],
  ["2001:db8::/32", "2001:db8:ffff::1", true],
  ["2001:db8::/32", "2001:db9::1", false],
  ["fe80::/10", "fe80::1%eth0", true],
  ["::1", "::1", true],
  ["127.0.0.1", "localhost", false],
  ["127.0.0.1", "", false],
])("the addresses of %s have %s: %s", (entry, address, expected) => {
  expect(createAddressSet("allow", [entry]).has(address)).toBe(expected);
});

it.each(["", "localhost", "10.0.0.0/33", "10.0.0/8", "2001:db8::/129", "10.0.0.0/8/8", "10.0.0.1-9"])(
  "%j is refused as an address, by the name of its option",
  (entry) => {
    expect(thrownBy(() => createAddressSet("gates[0][0]: allow", [entry])).message).toContain(
      `gates[0][0]: allow has "${entry}", which is no address`,
    );
  },
);
