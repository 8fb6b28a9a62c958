import { UsageError } from "../usageError";
import { tunnel } from "./tunnel";

/** Why a command line is refused. */
async function refusalOf(line: string): Promise<string> {
  try {
    await tunnel(line === "" ? [] : line.split(" "));
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "nothing";
}

const url = "--relay http://127.0.0.1:1";
const addRelay = "Add --relay https://relay.example.com, or set RUNNER_TUNNEL_RELAY.";
const exposeExample =
  "npx @bluelibs/runner tunnel expose 3000 --relay https://relay.example.com --token s3cret --name web";

it.each([
  ["", "A command is needed after runner tunnel."],
  ["--json", "A command is needed after runner tunnel."],
  ["sessions", "A command is needed after runner tunnel sessions."],
  ["sessions --json", "A command is needed after runner tunnel sessions."],
  ["sessions kil x", 'There is no command "tunnel sessions kil". Did you mean "sessions kill"?'],
  ["relay", "--port is needed: the port to listen on, or 0 for any. Add --port 4040."],
  ["relay --port 65536", '--port must be a whole number from 0 to 65535, got "65536".'],
  ["relay --port 1e3", '--port must be a whole number from 0 to 65535, got "1e3".'],
  [
    "relay --port 0 --port-range 9-1",
    '--port-range must be two ports, the lower one first, as 20000-20999; got "9-1".',
  ],
  [
    "relay --port 0 --max-pre-auth-connections 0",
    '--max-pre-auth-connections must be a whole number from 1 to 65535, got "0".',
  ],
  [
    "relay --port 0 --public-url-pattern x.example.com",
    'The --public-url-pattern "x.example.com" cannot be used: it is no http or https URL.',
  ],
  ["relay --port 0 --tls-key k.pem", "--tls-key needs --tls-cert as well."],
  ["relay --port 0 --host=", '--host must be an address or a host name of this machine, got "".'],
  [
    "relay --port 0 --host http://127.0.0.1",
    '--host must be an address or a host name of this machine, got "http://127.0.0.1".',
  ],
  [
    "relay --port 0 --host 127.0.0.1:4040",
    '--host must be an address or a host name of this machine, got "127.0.0.1:4040".',
  ],
  ["relay --port 0 --host 256.0.0.1", '--host must be an address or a host name of this machine, got "256.0.0.1".'],
  ["relay --port 0 --token=", "--token must be printable ASCII characters, at least one, without blanks around them."],
  ["expose", `runner tunnel expose takes <localPort>, got 0 arguments. Example: ${exposeExample}`],
  ["expose 3000 secret", `runner tunnel expose takes <localPort>, got 2 arguments. Example: ${exposeExample}`],
  [`expose 0 ${url}`, '<localPort> must be a whole number from 1 to 65535, got "0".'],
  ["expose 3000", `The URL of the relay is needed. ${addRelay}`],
  ["expose 3000 --relay localhost:4040", `--relay must be an http or https URL. ${addRelay}`],
  [
    `expose 3000 ${url} --name Web`,
    '--name "Web" cannot be used: a name is one label of a host name, in small letters, and none of www, api, admin, relay and localhost.',
  ],
  [`expose 3000 ${url} --name=`, expect.stringMatching(/^--name "" cannot be used: a name is one label/)],
  [`expose 3000 ${url} --name www`, expect.stringMatching(/^--name "www" cannot be used: a name is one label/)],
  [
    "expose 3000 --relay http://anna:secret@127.0.0.1:1",
    "--relay must have no user name and password in it. Pass credentials by --token.",
  ],
  [`expose 3000 ${url} --nam=secret`, "There is no option --nam. Did you mean --name?"],
  [
    `pull 1 ${url} --container-port -1`,
    expect.stringMatching(/^Option '--container-port' argument is ambiguous\. .*'--container-port=-XYZ'\. Example: /),
  ],
  [`sessions kill x ${url} --grace-ms 5001`, '--grace-ms must be a whole number from 0 to 5000, got "5001".'],
  [`requests list ${url} --limit 501`, '--limit must be a whole number from 1 to 500, got "501".'],
  [`requests list ${url} --status 99`, '--status must be a whole number from 100 to 599, got "99".'],
  [`list ${url} --json=yes`, expect.stringContaining("'--json' does not take an argument")],
])("runner tunnel %s is refused by the name of the option, and with the way out", async (line, message) => {
  const refusal = await refusalOf(line);

  expect(refusal).toEqual(message);
  expect(refusal).not.toContain("secret");
});
