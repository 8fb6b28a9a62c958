import {
  bindProcessErrorHandler,
  createDefaultUnhandledError,
  safeReportUnhandledError,
  type OnUnhandledErrorInfo,
} from "./unhandledErrors";

describe("createDefaultUnhandledError", () => {
  it("createDefaultUnhandledError logs the error with its source and kind", async () => {
    const logger = { error: jest.fn() };
    const error = new TypeError("boom");

    await createDefaultUnhandledError(logger)({ error, kind: "task", source: "app.task" });

    expect(logger.error).toHaveBeenCalledWith("TypeError: boom", {
      source: "app.task",
      error,
      data: { kind: "task" },
    });
  });

  it("createDefaultUnhandledError makes an error of anything else", async () => {
    const logger = { error: jest.fn() };

    await createDefaultUnhandledError(logger)({ error: "text" });

    expect(logger.error).toHaveBeenCalledWith(
      "Error: text",
      expect.objectContaining({ error: new Error("text"), data: { kind: undefined } }),
    );
  });
});

describe("bindProcessErrorHandler", () => {
  it("bindProcessErrorHandler reports with kind process and the event as source", async () => {
    const handler = jest.fn<void | Promise<void>, [OnUnhandledErrorInfo]>();

    await bindProcessErrorHandler(handler)("lost", "unhandledRejection");

    expect(handler).toHaveBeenCalledWith({ error: "lost", kind: "process", source: "unhandledRejection" });
  });

  it("bindProcessErrorHandler swallows what the handler throws", async () => {
    const bound = bindProcessErrorHandler(() => {
      throw new Error("handler");
    });

    await expect(bound("lost", "uncaughtException")).resolves.toBeUndefined();
  });
});

describe("safeReportUnhandledError", () => {
  it("safeReportUnhandledError swallows what the handler rejects with", async () => {
    const report = safeReportUnhandledError(() => Promise.reject(new Error("handler")), { error: 1 });

    await expect(report).resolves.toBeUndefined();
  });
});
