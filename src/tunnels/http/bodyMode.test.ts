import { bodyModeOf } from "./bodyMode";

it.each<[string | undefined, string]>([
  [undefined, "json"],
  ["application/json", "json"],
  ["text/plain", "json"],
  ["Multipart/Form-Data; boundary=x", "multipart"],
  ["application/octet-stream", "octet"],
  ["APPLICATION/octet-stream; x=1", "octet"],
  ["application/octet-streamy", "json"],
])("a body of type %s is read as %s", (contentType, mode) => {
  expect(bodyModeOf(contentType)).toBe(mode);
});
