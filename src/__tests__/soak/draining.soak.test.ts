import { describeDraining } from "../support/draining/describeDraining";

describe("a server that gets SIGTERM under load, again and again", () => describeDraining(20));
