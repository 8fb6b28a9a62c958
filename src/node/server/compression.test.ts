import { isCompressed, negotiateCoding } from "./compression";

it.each<[string | undefined, string | undefined]>([
  [undefined, undefined],
  ["", undefined],
  ["identity", undefined],
  ["gzip", "gzip"],
  ["gzip, deflate, br", "br"],
  ["br;q=0.1, gzip;q=0.9", "gzip"],
  ["GZIP ; Q=0.5", "gzip"],
  ["*", "br"],
  ["*;q=0.5, br;q=0", "gzip"],
  ["gzip;q=0", undefined],
  ["gzip;q=nonsense", undefined],
  ["gzip;q=0.5, identity;q=1", undefined],
])("Accept-Encoding: %s asks for %s", (header, coding) => {
  expect(negotiateCoding(header)?.name).toBe(coding);
});

it.each([
  ["image/png", true],
  ["image/svg+xml", false],
  ["video/mp4", true],
  ["application/zip", true],
  ["application/json", false],
  ["text/plain", false],
])("%s is compressed: %s", (contentType, expected) => {
  expect(isCompressed(contentType)).toBe(expected);
});
