import { isPrivateAddress, networkOf, plainAddress } from "./callerAddress";

it.each([
  ["10.0.0.1", "10.0.0.1"],
  ["::ffff:10.0.0.1", "10.0.0.1"],
  ["::ffff:a00:1", "::ffff:a00:1"],
  ["2001:DB8::1", "2001:db8:0:0::/64"],
  ["2001:db8:0:00:1:2:3:4", "2001:db8:0:0::/64"],
  ["2001:db8:1:2:3::", "2001:db8:1:2::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["1::2:3:4:5:10.0.0.1", "1:0:2:3::/64"],
  ["", ""],
])("visitors of %j are counted as those of %j", (address, network) => {
  expect(networkOf(address)).toBe(network);
});

it.each([
  ["127.0.0.1", true],
  ["::ffff:10.1.2.3", true],
  ["172.31.0.1", true],
  ["fd00::1", true],
  ["172.32.0.1", false],
  ["203.0.113.7", false],
  ["2001:db8::1", false],
])("isPrivateAddress finds %s private: %s", (address, expected) => {
  expect(isPrivateAddress(plainAddress(address))).toBe(expected);
});
