import { fork } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { clearTimeout } from "node:timers";
import { fileURLToPath } from "node:url";

/** A peer that takes longer for one answer is stuck, and with it the benchmark. */
const patienceMs = 120_000;

const host = fileURLToPath(new URL("./peerHost.mjs", import.meta.url));

let profiles = 0;

/** With `--profile` every peer leaves a profile, numbered in the order they were started. */
function profilerArgs(module) {
  const folder = process.env.BENCH_PROFILES;
  if (folder === undefined) return [];
  const name = `${String(++profiles).padStart(3, "0")}-${basename(module.pathname, ".mjs")}.cpuprofile`;
  return ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`];
}

/**
 * Starts the module of a peer in a process of its own. `call` runs a function of what its `start(options)` gave;
 * `ready` is the plain data in it. The process ends with `stop`, and with this process.
 */
export async function startPeer(module, options = {}) {
  const child = fork(host, [module.href, JSON.stringify(options)], {
    execArgv: profilerArgs(module),
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    serialization: "advanced",
  });
  const pending = new Map();
  const ended = once(child, "exit");
  void ended.then(([code, signal]) => {
    for (const { reject } of pending.values()) reject(new Error(`The peer ended early (${signal ?? code}).`));
    pending.clear();
  });
  child.on("message", ({ id, error, value }) => {
    const { resolve, reject } = pending.get(id);
    pending.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  });

  let lastId = 0;
  const answer = (id) => new Promise((resolve, reject) => pending.set(id, { resolve, reject }));
  const stop = async () => {
    if (child.connected) child.disconnect();
    const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    timer.unref();
  };

  try {
    const ready = await answer(0);
    return {
      ready,
      stop,
      async call(name, ...args) {
        const id = ++lastId;
        child.send({ id, name, args });
        const timer = setTimeout(() => pending.get(id)?.reject(new Error(`No answer to ${name}.`)), patienceMs);
        try {
          return await answer(id);
        } finally {
          clearTimeout(timer);
        }
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Starts several peers; those that fail are named on the error stream and left out.
 * @param modules the file of each peer, and optionally what to start it with, by name
 */
export async function startPeers(modules) {
  const started = new Map();
  for (const [name, { module, options }] of Object.entries(modules)) {
    try {
      started.set(name, await startPeer(module, options));
    } catch (error) {
      console.error(`${name}: ${error.message}`);
    }
  }
  return started;
}

export const stopAll = (peers) => Promise.all([...peers.values()].map((peer) => peer.stop()));
