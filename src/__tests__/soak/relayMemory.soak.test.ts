import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect, type Socket } from "node:net";
import type { DriverAnswers } from "../support/relay/driverProgram";
import { visit } from "../support/relay/relay";
import type { RelayAnswers } from "../support/relay/relayProgram";
import { startProgram } from "../support/startProgram";

const MiB = 1024 * 1024;

/** A relay and two drivers, each in a process of its own. */
async function startPrograms() {
  const relay = await startProgram<RelayAnswers>("relay/relayProgram");
  const drivers = [
    await startProgram<DriverAnswers>("relay/driverProgram"),
    await startProgram<DriverAnswers>("relay/driverProgram"),
  ];
  const url = await relay.ask("url");
  const ports: number[] = [];
  for (const driver of drivers) ports.push(await driver.ask("publish", url));
  return {
    relay,
    drivers,
    ports,
    /** Bytes in use in each of the three. */
    async used(): Promise<number[]> {
      const used: number[] = [];
      for (const program of [relay, ...drivers]) used.push((await program.ask("memory")).used);
      return used;
    },
    async [Symbol.asyncDispose]() {
      for (const program of [...drivers, relay]) await program[Symbol.asyncDispose]();
    },
  };
}

const visitMany = async (ports: readonly number[]): Promise<void> => {
  for (let count = 0; count < 10; count++) {
    for (const port of ports) expect((await visit(port)).status).toBe(200);
  }
};

/** A visitor who leaves in the middle of a response. */
const leave = (port: number): Promise<unknown> => {
  const call = httpRequest({ host: "127.0.0.1", port, path: "/endless", agent: false }).on("error", () => {});
  call.once("response", (message) => message.once("data", () => call.destroy()));
  return once(call.end(), "close");
};

/** A visitor who speaks over an upgraded connection. */
async function upgrade(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  await once(socket, "data");
  socket.write("spoken");
  await once(socket, "data");
  socket.destroy();
  await once(socket, "close");
}

it("a relay and its drivers have no more in use after 20,000 visits of all kinds and 30 lost connections than after 5,000", async () => {
  await using programs = await startPrograms();
  const { relay, ports } = programs;
  const body = Buffer.alloc(100_000, "body");
  const round = (port: number): Promise<unknown> =>
    Promise.all([
      ...Array.from({ length: 16 }, () => visit(port)),
      visit(port, { path: "/echo", method: "POST", body }),
      visit(port, { headers: { host: "elsewhere.example.com" } }),
      leave(port),
      upgrade(port),
    ]);
  const rounds = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done++) {
      for (const port of ports) await round(port);
      if (done % 17 !== 16) continue;
      await relay.ask("drop");
      for (const port of ports) while ((await visit(port)).status !== 200) await new Promise(setImmediate);
    }
  };

  await rounds(125);
  const before = await programs.used();
  await rounds(375);
  const after = await programs.used();

  const grown = after.map((used, index) => (used - (before[index] as number)) / MiB);
  expect(grown.filter((each) => each > 1.5)).toEqual([]);
}, 200_000);

it("a relay holds no more than its limit for each session when 1,000 visitors read nothing, and serves the others", async () => {
  await using programs = await startPrograms();
  const { drivers, ports } = programs;
  await visitMany(ports);
  const [before = 0] = await programs.used();
  const stalled: Socket[] = [];
  for (let index = 0; index < 1_000; index++) {
    const socket = connect(ports[index % 2] as number, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.pause().write("GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stalled.push(socket);
  }
  // All of them stand still once nothing more is produced while others are served.
  for (let last = -1, produced = 0; last !== produced;) {
    last = produced;
    await visitMany(ports);
    produced = 0;
    for (const driver of drivers) produced += await driver.ask("produced");
  }
  const [after = 0] = await programs.used();
  for (const socket of stalled) socket.destroy();

  // 64 MiB for each of two sessions, and what a thousand connections take.
  expect((after - before) / MiB).toBeLessThan(2 * 64 + 32);
}, 200_000);

it("a driver holds no more than its limit when 1,000 visitors send what its service does not read, and serves the others", async () => {
  await using programs = await startPrograms();
  const { ports } = programs;
  await visitMany(ports);
  const before = await programs.used();
  const piece = Buffer.alloc(64 * 1024, "sent");
  let sent = 0;
  const send = (socket: Socket): void => {
    do sent += piece.length;
    while (socket.write(piece));
  };
  const stalled: Socket[] = [];
  for (let index = 0; index < 1_000; index++) {
    const socket = connect(ports[index % 2] as number, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.write("POST /unread HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n");
    socket.on("drain", () => send(socket));
    send(socket);
    stalled.push(socket);
  }
  for (let last = -1; last !== sent;) {
    last = sent;
    await visitMany(ports);
  }
  const after = await programs.used();
  for (const socket of stalled) socket.destroy();

  const grown = after.map((used, index) => (used - (before[index] as number)) / MiB);
  expect(sent / MiB).toBeGreaterThan(1_000);
  // The service that reads nothing is of the driver's process, and has as many connections.
  expect(grown.filter((each) => each > 2 * 64 + 32)).toEqual([]);
}, 200_000);
