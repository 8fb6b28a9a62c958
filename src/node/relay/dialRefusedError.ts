/** A relay that refused the upgrade. */
export class DialRefusedError extends Error {
  readonly status: number;
  /** The beginning of its body. */
  readonly answer: string;

  constructor(status: number, answer: string) {
    // Of what is no relay, a page would say no more.
    const isOther = status >= 200 && status < 400;
    const said = answer === "" ? "" : `: ${answer.slice(0, 200)}`;
    super(
      isOther
        ? `The answer was ${status}, and no WebSocket: this is no relay, or a proxy before it passes no upgrades on`
        : `The relay answered ${status}${said}`,
    );
    this.name = "DialRefusedError";
    this.status = status;
    this.answer = answer;
  }
}
