import { describeDraining } from "../support/draining/describeDraining";
import { describeRestarts } from "../support/draining/describeRestarts";

describe("a server that gets SIGTERM under load, again and again", () => describeDraining(20));

describe("two servers that are restarted in turn, again and again, behind a balancer that asks http.ready", () =>
  describeRestarts(20));
