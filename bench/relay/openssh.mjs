// OpenSSH's -R: sshd in the place of a relay, ssh in that of a driver, with keys that live as long as the benchmark.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { listen } from "../lib/listen.mjs";

const sshd = "/usr/sbin/sshd";
/** Of the times in /proc: Linux counts them in hundredths of a second for programs, on every architecture. */
const msPerTick = 10;

/** sshd cannot choose a port by itself, nor say which of port 0 it forwards in a form that is easy to read. */
async function freePort() {
  const server = createServer();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** CPU time of a process and of its children, those that have ended included, in ms. */
function cpuOf(pid) {
  let total = 0;
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    for (const field of fields.slice(11, 15)) total += Number(field) * msPerTick;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim();
    for (const child of children === "" ? [] : children.split(" ")) total += cpuOf(child);
  } catch {
    // It has ended meanwhile.
  }
  return total;
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => {
      socket.destroy();
      resolve(true);
    }).on("error", () => resolve(false));
  });
}

async function until(what, isSo) {
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await isSo()) return;
    await delay(100);
  }
  throw new Error(`OpenSSH: ${what} did not happen within 10 s.`);
}

export const isInstalled = () => existsSync(sshd);

/** Starts sshd; `dial` connects to it, directly or through another port, and forwards. */
export async function start({ localPorts }) {
  const folder = mkdtempSync(join(tmpdir(), "runner-bench-ssh-"));
  const at = (name) => join(folder, name);
  const children = [];
  const stop = () => {
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", stop);
  for (const name of ["host", "user"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(name)]);
  }
  writeFileSync(at("authorized"), readFileSync(at("user.pub")), { mode: 0o600 });
  // Debian's unit would make it: sshd drops its privileges in there.
  if (process.getuid() === 0) mkdirSync("/run/sshd", { recursive: true });
  const port = await freePort();
  const settings = {
    Port: port,
    ListenAddress: "127.0.0.1",
    HostKey: at("host"),
    AuthorizedKeysFile: at("authorized"),
    PidFile: "none",
    StrictModes: "no",
    UsePAM: "no",
    PasswordAuthentication: "no",
    PermitRootLogin: "yes",
    MaxSessions: 100,
  };
  writeFileSync(
    at("config"),
    Object.entries(settings)
      .map((pair) => `${pair.join(" ")}\n`)
      .join(""),
  );
  children.push(spawn(sshd, ["-D", "-f", at("config")], { stdio: "ignore" }));
  await until("a connection to sshd", () => connects(port));

  const ports = [];
  for (let index = 0; index < localPorts.length; index++) ports.push(await freePort());
  const forwards = localPorts.flatMap((local, index) => ["-R", `127.0.0.1:${ports[index]}:127.0.0.1:${local}`]);
  const options = ["StrictHostKeyChecking=no", `UserKnownHostsFile=${at("known")}`, "ExitOnForwardFailure=yes"];
  const ssh = (dialled) =>
    spawn(
      "ssh",
      [
        ["-F", "none", "-N", "-i", at("user"), "-p", String(dialled)],
        options.flatMap((option) => ["-o", option]),
        forwards,
        `${userInfo().username}@127.0.0.1`,
      ].flat(),
      { stdio: "ignore" },
    );
  return {
    port,
    ports,
    async dial(dialled = port) {
      children.push(ssh(dialled));
      await until("forwarding", () => connects(ports[0]));
    },
    cpu: () => children.reduce((total, { pid }) => total + cpuOf(pid), 0),
    stop,
  };
}
