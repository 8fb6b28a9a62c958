import { nodeCarriers } from "./carriers";
import { describeCalls } from "./callSuites";
import { describeScopes } from "./scopeSuites";

describeCalls(nodeCarriers);
describeScopes(nodeCarriers);
