import { defineCommand } from "../command/command";
import { ExitCode } from "../exitCodes";
import { readOrigin, runChecks } from "./doctorChecks";
import { readServer, serverFlags, serverPositional } from "./serverAddress";

export const doctorCommand = defineCommand({
  name: "doctor",
  about: "Walks from the network to the allow-list of a server, and says the first thing that is wrong and its fix.",
  positionals: [serverPositional],
  needed: ["token"],
  flags: {
    ...serverFlags,
    id: { type: "string", value: "<id>", about: "looks for this task or event among those that may be called" },
    origin: {
      type: "string",
      value: "<url>",
      about: "asks as a page of this origin would, as https://app.example.com",
    },
    body: {
      type: "string",
      value: "<bytes>",
      about: "sends as many bytes, to find the limit of the server or of a proxy on the way; default 0",
    },
  },
  example: "npx @bluelibs/runner doctor https://api.example.com/__runner --token s3cret",
  async run({ values, positionals: [url = ""], output }) {
    const address = readServer(url, values);
    const asked = { id: values.id, origin: readOrigin(values.origin), body: values.body };
    for await (const { name, isFine, message, fix } of runChecks(address, asked)) {
      const line = `${isFine ? "ok    " : "WRONG "} ${name.padEnd(12)}  ${message}`;
      output.event({ check: name, ok: isFine, message, ...(fix !== undefined && { fix }) }, line);
      if (isFine) continue;
      if (fix !== undefined && !output.isJson) output.event({}, `        Fix: ${fix}`);
      return ExitCode.failed;
    }
    return ExitCode.ok;
  },
});
