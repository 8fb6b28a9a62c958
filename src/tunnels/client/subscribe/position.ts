/** Where an event stands: `<epoch>-<seq>`. */
export interface Position {
  readonly text: string;
  /** What numbers the emissions. */
  readonly epoch: string;
  readonly seq: number;
}

/** Reads a place among the emissions of an event. @returns `undefined` for what is none */
export function readPosition(text: unknown): Position | undefined {
  if (typeof text !== "string") return undefined;
  const [, epoch, digits] = /^([^-]{1,64})-(\d{1,16})$/.exec(text) ?? [];
  return epoch === undefined ? undefined : { text, epoch, seq: Number(digits) };
}

/** What a caller says where it stands; of what is no position only the server can say that it knows nothing of it. */
export const statedPosition = (text: string): Position => readPosition(text) ?? { text, epoch: `?${text}`, seq: 0 };

/** The same, so many emissions further on. */
export const advanced = ({ epoch, seq }: Position, by: number): Position => ({
  text: `${epoch}-${seq + by}`,
  epoch,
  seq: seq + by,
});

/** Whether a place is at another one, or behind it in the order of emissions. */
export const isPast = (one: Position, other: Position): boolean => one.epoch === other.epoch && one.seq >= other.seq;
