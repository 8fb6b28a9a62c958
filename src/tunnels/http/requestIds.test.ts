import { createRequestIds } from "./requestIds";

describe("request ids", () => {
  const withId = (id?: string): { headers: Record<string, unknown> } => ({
    headers: { ...(id !== undefined && { "x-runner-request-id": id }) },
  });

  it.each(["abc-123:x.y_z", "x".repeat(128)])("request ids are the caller's, when usable: %s", (id) => {
    expect(createRequestIds()(withId(id))).toBe(id);
  });

  it.each(["", "bad id!", "x".repeat(129), "a\u0000b"])("request ids replace an unusable one: %j", (id) => {
    const req = withId(id);

    const assigned = createRequestIds()(req);

    expect(assigned).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(req.headers["x-runner-request-id"]).toBe(assigned);
  });

  it("request ids differ from request to request, and from exposure to exposure", () => {
    const [first, second] = [createRequestIds(), createRequestIds()];
    const ids = [...Array(1000).keys()].flatMap(() => [first(withId()), second(withId())]);

    expect(new Set(ids).size).toBe(2000);
  });
});
