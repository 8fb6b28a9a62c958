import { describeDraining } from "../../support/draining/describeDraining";

// `npm run test:soak` has more rounds.
describe("a server that gets SIGTERM under load, with a stray rejection in the middle", () => describeDraining(1));
