import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL, fileURLToPath } from "node:url";
import { readFileSync } from "node:fs";
import { packageOf, type Version } from "./typescript";

/** A place in a file; counts from 0. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly character: number;
}

/** The part of TypeScript that editors talk to, in a process of its own. */
export interface Editor extends AsyncDisposable {
  /** Where the name at a place comes from, as "go to definition" finds it. */
  definitionOf(place: Place): Promise<Place | undefined>;
}

interface Message {
  readonly id?: number;
  readonly request_seq?: number;
  readonly [key: string]: unknown;
}

/** Starts it for a version: `tsserver`, or the language server of the native one. */
export async function startEditor(version: Version, folder: string): Promise<Editor> {
  const isNative = version === "7.0";
  const command = isNative
    ? ["bin/tsc", "--lsp", "--stdio"]
    : ["lib/tsserver.js", "--disableAutomaticTypingAcquisition"];
  const [program = "", ...args] = command;
  const child = spawn(process.execPath, [join(packageOf(version), program), ...args], {
    cwd: folder,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const closed = once(child, "close");
  const waiting = new Map<number, (message: Message) => void>();
  let lastId = 0;
  readMessages(child.stdout, (message) => {
    const id = message.request_seq ?? message.id;
    if (id !== undefined) waiting.get(id)?.(message);
    // A language server asks its editor as well: for settings, which there are none of.
    if (isNative && message.id !== undefined && message["method"] !== undefined)
      write({ id: message.id, result: null });
  });
  const write = (message: object): void => {
    const text = JSON.stringify({ ...(isNative && { jsonrpc: "2.0" }), ...message });
    child.stdin.write(isNative ? `Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}` : `${text}\n`);
  };
  const ask = (message: object): Promise<Message> =>
    new Promise((resolve, reject) => {
      const id = ++lastId;
      waiting.set(id, resolve);
      void closed.then(() => reject(new Error(`TypeScript ${version} ended.`)));
      write(isNative ? { id, ...message } : { seq: id, type: "request", ...message });
    });

  async function definitionByTsserver({ file, line, character }: Place): Promise<Place | undefined> {
    write({ seq: ++lastId, type: "request", command: "open", arguments: { file } });
    const reply = await ask({ command: "definition", arguments: { file, line: line + 1, offset: character + 1 } });
    const [found] = reply["body"] as { file: string; start: { line: number; offset: number } }[];
    return found && { file: found.file, line: found.start.line - 1, character: found.start.offset - 1 };
  }

  async function definitionByLsp({ file, line, character }: Place): Promise<Place | undefined> {
    const uri = pathToFileURL(file).href;
    const textDocument = { uri, languageId: "typescript", version: 1, text: readFileSync(file, "utf8") };
    write({ method: "textDocument/didOpen", params: { textDocument } });
    const params = { textDocument: { uri }, position: { line, character } };
    const { result } = await ask({ method: "textDocument/definition", params });
    const [found] = [result].flat() as { uri: string; range: { start: Omit<Place, "file"> } }[];
    return found && { file: fileURLToPath(found.uri), ...found.range.start };
  }

  if (isNative) {
    const rootUri = pathToFileURL(folder).href;
    const workspaceFolders = [{ uri: rootUri, name: "caller" }];
    await ask({ method: "initialize", params: { processId: null, rootUri, workspaceFolders, capabilities: {} } });
    write({ method: "initialized", params: {} });
  }
  return {
    definitionOf: isNative ? definitionByLsp : definitionByTsserver,
    async [Symbol.asyncDispose]() {
      child.kill();
      await closed;
    },
  };
}

/** Calls back for each message of a stream in which a header says how long the next one is. */
function readMessages(stream: NodeJS.ReadableStream, onMessage: (message: Message) => void): void {
  let bytes = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const end = bytes.indexOf("\r\n\r\n");
      if (end === -1) return;
      const length = Number(/Content-Length: (\d+)/i.exec(bytes.subarray(0, end).toString())?.[1]);
      if (bytes.length < end + 4 + length) return;
      const text = bytes.subarray(end + 4, end + 4 + length).toString();
      bytes = bytes.subarray(end + 4 + length);
      onMessage(JSON.parse(text) as Message);
    }
  });
}
