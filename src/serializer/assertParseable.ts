import { treeTooLarge } from "./serializerError";

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const bracket = 0x5b;
const backslash = 0x5c;
const brace = 0x7b;

/**
 * Refuses a text that certainly has too many values before it takes the time and the memory to make them: counts lists,
 * objects, properties and texts in lists. Other items are not counted, since the bytes of a buffer are one value.
 *
 * @throws {SerializerError} more than `maxValues`
 */
export function assertParseable(text: string, maxValues: number): void {
  // Every value takes two units, so most texts need not be looked at.
  if (text.length <= 2 * maxValues) return;
  let count = 0;
  let last = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit === comma || unit === colon) last = unit;
    if (unit !== quote && unit !== bracket && unit !== brace) continue;
    // Behind a colon is the value of a property that was counted.
    if (last !== colon) count += 1;
    if (unit !== quote) last = unit;
    else {
      // The two properties of a record are none of the value.
      if (last === brace && text.startsWith('__type":"', index + 1)) count -= 2;
      index = endOfText(text, index + 1);
    }
    if (count > maxValues) throw treeTooLarge("deserialize", `${maxValues} values`);
  }
}

/** Where the quotation mark is that ends a text; the end of everything if there is none. */
function endOfText(text: string, start: number): number {
  for (let end = text.indexOf('"', start); end >= 0; end = text.indexOf('"', end + 1)) {
    let content = end;
    while (text.charCodeAt(content - 1) === backslash) content -= 1;
    // An even number of backslashes: each pair stands for one.
    if ((end - content) % 2 === 0) return end;
  }
  return text.length;
}
