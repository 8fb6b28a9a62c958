import type { ClientCallOptions } from "../../../tunnels/client/remoteClient";

/** Keeps how far a call is in the last line of a terminal, on standard error. Elsewhere it does nothing. */
export interface Progress {
  readonly listeners: Pick<ClientCallOptions, "onProgress" | "onDownloadProgress">;
  /** Takes the line away. */
  end(): void;
}

const clearLine = "\r\x1b[2K";
/** Smaller bodies are there before a line could be read. */
const leastBytes = 256 * 1024;

export function showProgress(isJson: boolean): Progress {
  const { stderr } = process;
  if (isJson || !stderr.isTTY || process.env["TERM"] === "dumb") return { listeners: {}, end: () => {} };
  let isShown = false;
  const show = (verb: string, bytes: number, total: number | undefined): void => {
    if ((total ?? bytes) < leastBytes) return;
    isShown = true;
    const share = total === undefined || total === 0 ? "" : `  ${Math.min(100, Math.floor((100 * bytes) / total))} %`;
    stderr.write(`${clearLine}${verb} ${(bytes / 1_048_576).toFixed(1)} MB${share}`);
  };
  return {
    listeners: {
      onProgress: ({ sentBytes, totalBytes }) => show("Sent", sentBytes, totalBytes),
      onDownloadProgress: ({ receivedBytes, totalBytes }) => show("Received", receivedBytes, totalBytes),
    },
    end() {
      if (isShown) stderr.write(clearLine);
      isShown = false;
    },
  };
}
