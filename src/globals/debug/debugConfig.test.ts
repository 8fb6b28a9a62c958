import { allFalse, debug, debugLevels, getConfig, globals, levelNormal, levelVerbose, r, run } from "../../index";
import { rejectionOf } from "../../__tests__/support/failures";

const { debug: debugTag } = globals.tags;

describe("levels", () => {
  it("the level normal has the lines on and their data off, and verbose adds the data of tasks and resources", () => {
    const on = (flags: object) => Object.entries(flags).flatMap(([flag, isOn]) => (isOn ? [flag] : []));

    expect(on(levelNormal)).toEqual([
      "logResourceBeforeRun",
      "logResourceAfterRun",
      "logTaskBeforeRun",
      "logTaskAfterRun",
      "logMiddlewareBeforeRun",
      "logMiddlewareAfterRun",
      "logEventEmissionOnRun",
      "logHookTriggered",
      "logHookCompleted",
    ]);
    expect(on(levelVerbose).filter((flag) => !on(levelNormal).includes(flag))).toEqual([
      "logResourceConfig",
      "logResourceValue",
      "logTaskInput",
      "logTaskOutput",
    ]);
    expect(on(allFalse)).toEqual([]);
    expect([levelNormal, levelVerbose, allFalse].every(Object.isFrozen)).toBe(true);
    expect(globals.debug.levels).toEqual({ normal: levelNormal, verbose: levelVerbose });
    expect(globals.debug).toBe(debug);
    expect(debug.levels).toBe(debugLevels);
  });

  it("flags that are given are added to none, and those of a tag take the place of all that the run says", () => {
    const tagged = { tags: [debugTag.with({ logTaskInput: true, logTaskOutput: undefined })] };

    expect(getConfig("normal")).toBe(levelNormal);
    expect(getConfig({ logHookTriggered: true })).toEqual({ ...allFalse, logHookTriggered: true });
    expect(getConfig("verbose", { tags: [] })).toBe(levelVerbose);
    expect(getConfig("verbose", tagged)).toEqual({ ...allFalse, logTaskInput: true });
    expect(getConfig({}, { tags: [debugTag.with("normal")] })).toBe(levelNormal);
  });
});

describe("a config that would be ignored", () => {
  it.each([
    ["loud", 'run(app, options).debug must be "normal", "verbose" or an object of flags, got "loud".'],
    [false, 'run(app, options).debug must be "normal", "verbose" or an object of flags, got false.'],
    [null, 'run(app, options).debug must be "normal", "verbose" or an object of flags, got null.'],
    [
      { logTaskInputs: true },
      "run(app, options).debug.logTaskInputs is not known. Did you mean run(app, options).debug.logTaskInput?",
    ],
    [{ logTaskInput: 1 }, "run(app, options).debug.logTaskInput must be true or false, got 1."],
  ])("is refused before anything runs: %p", async (given, message) => {
    let ran = false;
    const root = r
      .resource("root")
      .init(async () => void (ran = true))
      .build();

    const error = await rejectionOf(run(root, { debug: given as never }));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(message);
    expect(ran).toBe(false);
  });

  it("is refused where a tag is given it", () => {
    expect(() => debugTag.with({ logEverything: true } as never)).toThrow(
      /^Tag config validation failed for globals\.tags\.debug: config\.logEverything is not known\. Known are logResourceConfig, /,
    );
  });
});
