import type { ClassCodec } from "./codec";
import { invalidPayload } from "./serializerError";

const viewIds = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
] as const;

/** Every binary type travels as the bytes it shows, in memory order. */
export function createBinaryCodecs(): ClassCodec[] {
  return [
    binaryCodec("ArrayBuffer", ArrayBuffer, 1, (bytes) => bytes.buffer),
    binaryCodec("DataView", DataView, 1, (bytes) => new DataView(bytes.buffer)),
    bufferCodec(),
    ...viewIds.map(viewCodec),
  ];
}

/** `255,` */
const charsPerByte = 4;
/** Making one takes as long as a good many bytes, even if it is empty. */
const charsPerView = 128;

type Bytes = Uint8Array<ArrayBuffer>;

/** Node only; elsewhere its bytes are read as the class it extends. */
function bufferCodec(): ClassCodec {
  const { Buffer } = globalThis as { Buffer?: typeof globalThis.Buffer };
  return binaryCodec("Buffer", Buffer, 1, (bytes) => (Buffer ? Buffer.from(bytes.buffer) : bytes));
}

function viewCodec(id: (typeof viewIds)[number]): ClassCodec {
  const View = globalThis[id];
  return binaryCodec(id, View, View.BYTES_PER_ELEMENT, (bytes) => new View(bytes.buffer));
}

function binaryCodec(
  id: string,
  Class: { readonly prototype: object } | undefined,
  elementBytes: number,
  wrap: (bytes: Bytes) => object,
): ClassCodec {
  return {
    id,
    strategy: "value",
    flat: true,
    prototype: Class?.prototype,
    owns: (value) => ArrayBuffer.isView(value) || isArrayBuffer(value),
    serialize(value: ArrayBuffer | ArrayBufferView, { tally }) {
      // Before a list of that length is made.
      tally.add(0, charsPerView + value.byteLength * charsPerByte);
      return Array.from(bytesOf(value));
    },
    deserialize(payload, { tally }) {
      if (Array.isArray(payload)) tally.add(0, charsPerView + payload.length * charsPerByte);
      return wrap(readBytes(payload, id, elementBytes));
    },
  };
}

function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);
}

function readBytes(payload: unknown, id: string, elementBytes: number): Bytes {
  if (!Array.isArray(payload) || payload.length % elementBytes !== 0) throw invalidPayload(id);
  const bytes = new Uint8Array(payload.length);
  for (let index = 0; index < payload.length; index += 1) {
    const byte: unknown = payload[index];
    if (typeof byte !== "number") throw invalidPayload(id);
    bytes[index] = byte;
    // Storing keeps whole numbers from 0 to 255 and changes every other.
    if (bytes[index] !== byte) throw invalidPayload(id);
  }
  return bytes;
}

function isArrayBuffer(value: object): value is ArrayBuffer {
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]" && "byteLength" in value;
}
