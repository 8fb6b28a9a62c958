import { callSampler } from "../lib/callSampler.mjs";

const empty = async () => {};

const around = {
  retry: (next) => async (input) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await next(input);
      } catch (error) {
        if (attempt >= 3) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
      }
    }
  },
  timeout: (next) => (input) => {
    const controller = new AbortController();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error("timed out"));
        controller.abort();
      }, 60_000);
      next(input, controller.signal)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  },
  circuitBreaker(next) {
    let failures = 0;
    let openedAt = 0;
    return async (input) => {
      if (failures >= 5 && Date.now() - openedAt < 30_000) throw new Error("open");
      try {
        const result = await next(input);
        failures = 0;
        return result;
      } catch (error) {
        if (++failures >= 5) openedAt = Date.now();
        throw error;
      }
    };
  },
  concurrency(next) {
    let free = 10;
    const waiting = [];
    return async (input) => {
      if (free > 0) free--;
      else await new Promise((resolve) => waiting.push(resolve));
      try {
        return await next(input);
      } finally {
        if (waiting.length > 0) waiting.shift()();
        else free++;
      }
    };
  },
  rateLimit(next) {
    let count = 0;
    let resetTime = 0;
    return async (input) => {
      const now = Date.now();
      if (now > resetTime) {
        count = 0;
        resetTime = now + 60_000;
      }
      if (++count > 1e12) throw new Error("too many");
      return next(input);
    };
  },
  throttle(next) {
    let last = -Infinity;
    return async (input) => {
      const now = performance.now();
      if (now - last < 0) throw new Error("too early");
      last = now;
      return next(input);
    };
  },
  fallback: (next) => async (input) => {
    try {
      return await next(input);
    } catch {
      return 0;
    }
  },
  cache(next) {
    const kept = new Map();
    return async (input) => {
      const key = JSON.stringify(input);
      const found = kept.get(key);
      if (found !== undefined && found.until > Date.now()) return found.value;
      const value = await next(input);
      kept.set(key, { value, until: Date.now() + 600_000 });
      return value;
    };
  },
};

const rows = {
  none: [],
  all5: ["timeout", "retry", "circuitBreaker", "rateLimit", "fallback"],
};

/** The same in a few lines, with nothing that an application would need beyond: no journal, no caller that leaves, no end. */
export function start({ row }) {
  let call = empty;
  for (const name of rows[row] ?? [row]) call = around[name](call);
  return callSampler(() => call(undefined));
}
