import { findNatsServer } from "./natsServer";

/** A server that is missing ends the run before it begins: a test that is left out proves nothing. */
export default function checkNatsServer(): void {
  findNatsServer();
}
