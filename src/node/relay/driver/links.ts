/** What a session needs once it connects: most applications that import the entry publish nothing. */
export { readAgreement } from "../../../relay/handshake";
export { greet, ownSettings } from "./greet";
export { keepShards } from "./shardPool";
