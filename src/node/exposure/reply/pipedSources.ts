import type { ServerResponse } from "node:http";
import { finished, type Readable } from "node:stream";

/** Sees to what flows into a response, whatever pipes it: where it fails, nothing would ever end the reply. */
export class PipedSources {
  #wasPipedInto = false;
  #count = 0;
  #latest: Readable | undefined;

  /**
   * @param hasCallerLeft what fails because its caller has left is no failure of ours
   * @param onFailed called a turn after a source has failed that nothing has replaced until then
   */
  constructor(res: ServerResponse, hasCallerLeft: () => boolean, onFailed: (error: Error) => void) {
    res.on("unpipe", (source: Readable) => {
      this.#count -= 1;
      // The task has taken it away; what has failed is taken away by its failure.
      if (!source.destroyed && this.#latest === source) this.#latest = undefined;
    });
    res.on("pipe", (source: Readable) => {
      this.#wasPipedInto = true;
      this.#count += 1;
      this.#latest = source;
      finished(source, { writable: false }, (error) => {
        // By then, a task that handles such failures itself has ended its reply, or pipes something else into it.
        if (error && !hasCallerLeft()) setImmediate(() => this.#latest === source && onFailed(error));
      });
    });
  }

  get wasPipedInto(): boolean {
    return this.#wasPipedInto;
  }

  get isPipedInto(): boolean {
    return this.#count > 0;
  }
}
