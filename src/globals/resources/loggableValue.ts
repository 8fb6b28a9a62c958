import { isError } from "../../errors/normaliseThrown";
import { describeValue, tagOf } from "../../lib/describeValue";

/** Stands in a log for what cannot be read or written. */
export const unserializable = "[Unserializable]";

/** Most values that one field of a log shows; what follows is counted. */
const maxValues = 10_000;
/** Most characters of text that one field of a log shows; what is longer is cut. */
const maxChars = 1_000_000;
/** Most bytes of one buffer that are shown. */
const maxBytes = 1_000;
/** Levels that are shown where nothing else is said: engines follow them, and readers hardly any further. */
const deepest = 100;

/**
 * A copy of a value that JSON can write, whatever it is: cycles, bigints, functions, symbols and errors have a text, and
 * what throws when it is read is named where it stands. Never throws.
 *
 * @param maxDepth objects nested deeper become `"[Object]"` or `"[Array]"`
 */
export function toLoggable(value: unknown, maxDepth = deepest): unknown {
  return new Copier(maxDepth).copy(value, 0);
}

class Copier {
  readonly #maxDepth: number;
  readonly #ancestors: unknown[] = [];
  #valuesLeft = maxValues;
  #charsLeft = maxChars;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /** @param isJson whether it is what a `toJSON` gave, which is not asked again */
  copy(value: unknown, depth: number, isJson = false): unknown {
    this.#valuesLeft -= 1;
    switch (typeof value) {
      case "string":
        return this.#cut(value);
      case "bigint":
        return this.#cut(value.toString());
      case "symbol":
        return value.toString();
      case "function":
        return "function()";
      case "object":
        break;
      default:
        return value;
    }
    if (value === null) return value;
    if (!isJson && this.#ancestors.includes(value)) return "[Circular]";
    this.#ancestors.push(value);
    try {
      return this.#copyObject(value, depth, isJson);
    } catch {
      return unserializable;
    } finally {
      this.#ancestors.pop();
    }
  }

  /** May throw: proxies and accessors run code of their own. */
  #copyObject(value: object, depth: number, isJson: boolean): unknown {
    if (isError(value)) return depth >= this.#maxDepth ? describeValue(value) : this.#copyError(value, depth);
    if (ArrayBuffer.isView(value) && value.byteLength > maxBytes) return describeBytes(value);
    if (!isJson) {
      const { toJSON } = value as { toJSON?: unknown };
      if (typeof toJSON === "function") return this.copy(Reflect.apply(toJSON, value, [""]), depth, true);
    }
    if (value instanceof Number || value instanceof String || value instanceof Boolean) return value.valueOf();
    const isArray = Array.isArray(value);
    if (depth >= this.#maxDepth) return isArray ? "[Array]" : "[Object]";
    return isArray ? this.#copyArray(value, depth) : this.#copyFields(value, Object.keys(value), depth);
  }

  #copyArray(items: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = [];
    for (let index = 0; index < items.length; index += 1) {
      if (this.#valuesLeft <= 0) {
        copy.push(more(items.length - index));
        break;
      }
      copy.push(this.#read(items, index, depth));
    }
    return copy;
  }

  #copyFields(value: object, keys: readonly string[], depth: number): object {
    const copy = Object.create(null) as Record<string, unknown>;
    for (const [index, key] of keys.entries()) {
      if (this.#valuesLeft <= 0) {
        copy["…"] = more(keys.length - index);
        break;
      }
      copy[key] = this.#read(value, key, depth);
    }
    return copy;
  }

  /** The facts of an error are not enumerable, so JSON would show `{}`. */
  #copyError(error: Error, depth: number): object {
    const facts = ["name", "message", "stack", "cause"].filter((key) => key in error);
    return this.#copyFields(error, [...new Set([...facts, ...Object.keys(error)])], depth);
  }

  #read(holder: object, key: PropertyKey, depth: number): unknown {
    let value: unknown;
    try {
      value = Reflect.get(holder, key);
    } catch {
      return unserializable;
    }
    return this.copy(value, depth + 1);
  }

  #cut(text: string): string {
    const { length } = text;
    const shown = Math.max(0, Math.min(length, this.#charsLeft));
    this.#charsLeft -= shown;
    return shown === length ? text : `${text.slice(0, shown)}${more(length - shown)}`;
  }
}

const describeBytes = (view: ArrayBufferView): string =>
  `[${tagOf(view).slice("[object ".length, -1)} of ${view.byteLength} bytes]`;

const more = (count: number): string => `[… ${count} more]`;
