/** What a client compresses. Replies that come compressed are read either way. */
export interface ClientCompression {
  /** Gzip request bodies. Only for exposures that accept it; nothing is negotiated. Default false. */
  readonly requests?: boolean | undefined;
  /** Tell the exposure that replies may be compressed. Default false. */
  readonly responses?: boolean | undefined;
}
