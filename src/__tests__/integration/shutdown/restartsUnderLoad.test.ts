import { describeRestarts } from "../../support/draining/describeRestarts";

// `npm run test:soak` has more restarts.
describe("two servers that are restarted in turn, behind a balancer that asks http.ready", () => describeRestarts(2));
