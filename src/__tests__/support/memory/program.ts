/** What the programs below have in common; each runs in a process of its own, so that its memory is its own. */
import { readFileSync } from "node:fs";
import { Readable } from "node:stream";

/** What a process takes of the machine, in bytes. */
export interface Footprint {
  readonly resident: number;
  /** The most that was ever resident. */
  readonly residentPeak: number;
}

export function readFootprint(): Footprint {
  const resident = process.memoryUsage.rss();
  // `maxRSS` starts at the size of the parent process on Linux.
  if (process.platform !== "linux") return { resident, residentPeak: process.resourceUsage().maxRSS * 1024 };
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return { resident, residentPeak: Number(kibibytes) * 1024 };
}

/** What a process has once garbage is collected, in bytes. */
export interface CollectedMemory {
  /** What it takes of the machine. */
  readonly resident: number;
  /** What is in use: objects, and the buffers they hold. */
  readonly used: number;
}

export async function readCollectedMemory(): Promise<CollectedMemory> {
  for (let time = 0; time < 3; time++) await globalThis.gc?.({ execution: "async", type: "major" });
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, used: heapUsed + external };
}

/** Answers what the test asks, until the test is gone. */
export function answerQuestions(answers: Record<string, (argument: unknown) => unknown>): void {
  const answer = async ({ question, argument }: { question: string; argument: unknown }): Promise<void> => {
    process.send?.({ answer: await answers[question]?.(argument) });
  };
  process.on("message", (asked) => void answer(asked as Parameters<typeof answer>[0]));
  process.on("disconnect", () => process.exit());
}

/** So many bytes, made as they are read. */
export function bytesOf(length: number): Readable {
  const chunk = Buffer.alloc(64 * 1024, 7);
  let left = length;
  return new Readable({
    read() {
      const size = Math.min(left, chunk.byteLength);
      left -= size;
      this.push(size === 0 ? null : chunk.subarray(0, size));
    },
  });
}

/** Reads to the end and keeps nothing. */
export async function countBytes(stream: Readable): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) bytes += chunk.byteLength;
  return bytes;
}
