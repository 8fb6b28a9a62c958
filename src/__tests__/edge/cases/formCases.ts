import { memoryBytes, tasks } from "../edgeApp";
import { patternOf, sha256Of, type EdgeUnderTest } from "./edgeUnderTest";
import { filePart, formHeaders, formOf, manifestPart, sentinel } from "../forms";

/** Forms with files. */
export function formCases({ title, post, upload }: EdgeUnderTest): void {
  it(title("receives files beside an input, whole and with their names"), async () => {
    const [first, second] = [patternOf(700_000), patternOf(10)];
    const form = formOf(
      manifestPart({ files: [{ $runnerFile: "File", id: "A" }, sentinel("B")], note: "é文" }),
      { name: "file:A", filename: "naïve 文.txt", type: "text/plain", content: first },
      filePart("B", second),
    );

    expect(await upload(tasks.upload.id, form)).toMatchObject({
      status: 200,
      result: {
        note: "é文",
        described: [
          { name: "naïve 文.txt", type: "text/plain", length: 700_000, sha256: sha256Of(first) },
          { name: "B.bin", length: 10, sha256: sha256Of(second) },
        ],
      },
    });
  });

  it(title("takes files before the manifest, and out of order, as far as memory for them goes"), async () => {
    const half = patternOf(memoryBytes / 2 - 1000);
    const manifest = manifestPart({ files: [sentinel("A"), sentinel("B")] });
    const parts = [filePart("A", half), filePart("B", "b")];

    expect((await upload(tasks.upload.id, formOf(...parts, manifest))).status).toBe(200);
    expect((await upload(tasks.uploadBackwards.id, formOf(manifest, ...parts))).status).toBe(200);
  });

  it.each(["manifest", "file"])(title("refuses a form whose %s comes behind more than memory takes"), async (late) => {
    const large = filePart("A", patternOf(memoryBytes * 4));
    const manifest = manifestPart({ files: [sentinel("A"), sentinel("B")] });
    const form =
      late === "manifest" ? formOf(large, filePart("B", "b"), manifest) : formOf(manifest, large, filePart("B", "b"));

    expect(await upload(tasks.uploadBackwards.id, form)).toMatchObject({
      status: 413,
      error: { code: "PAYLOAD_TOO_LARGE" },
    });
  });

  it(title("answers when a task reads no file, or gives one up halfway"), async () => {
    const form = formOf(manifestPart({ files: [sentinel("A")] }), filePart("A", patternOf(2_000_000)));

    expect((await upload(tasks.ignoreFiles.id, form)).result).toBe("ignored");
    expect((await upload(tasks.glance.id, form)).result).toBe(true);
  });

  it(title("sends a file back as a stream"), async () => {
    const bytes = patternOf(2_000_000);
    const reply = await post(
      tasks.echoFile.id,
      formOf(manifestPart({ files: [sentinel("A")] }), filePart("A", bytes)),
      formHeaders,
    );

    expect(sha256Of(new Uint8Array(await reply.arrayBuffer()))).toBe(sha256Of(bytes));
  });

  it(title("says why a file cannot be written to a disk"), async () => {
    const form = formOf(manifestPart({ files: [sentinel("A")] }), filePart("A", "x"));

    expect((await upload(tasks.toDisk.id, form)).result).toMatch(/^toTempFile\(\) needs a file system/);
  });

  it.each([
    ["that breaks off", formOf(manifestPart({ files: [] })).slice(0, -6), 400, "INVALID_MULTIPART"],
    ["without a manifest", formOf(filePart("A", "x")), 400, "MISSING_MANIFEST"],
    ["with two manifests", formOf(manifestPart({}), manifestPart({})), 400, "INVALID_MULTIPART"],
    ["without a file that it names", formOf(manifestPart({ files: [sentinel("A")] })), 500, "MISSING_FILE_PART"],
    [
      "with too many files",
      formOf(manifestPart({ files: [] }), ...Array.from({ length: 11 }, (_, index) => filePart(`${index}`, "x"))),
      413,
      "PAYLOAD_TOO_LARGE",
    ],
  ])(title("refuses a form %s"), async (_what, form, status, code) => {
    expect(await upload(tasks.ignoreFiles.id, form)).toMatchObject({ status, error: { code } });
  });
}
