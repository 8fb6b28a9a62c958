import { thrownBy } from "../../__tests__/support/failures";
import { readBaseUrl } from "./baseUrl";

describe("readBaseUrl", () => {
  it.each([
    ["http://x/r", "http://x/r"],
    ["http://x/r/", "http://x/r"],
    ["http://x/r//", "http://x/r/"],
    ["/__runner/", "/__runner"],
  ])("cuts one slash: %s", (baseUrl, cut) => {
    expect(readBaseUrl({ baseUrl }, "createX")).toBe(cut);
  });

  it.each([undefined, ""])("names who needs it when there is %p", (baseUrl) => {
    expect(thrownBy(() => readBaseUrl({ baseUrl }, "createX")).message).toBe("createX requires baseUrl");
  });
});
