import { nodeCarriers } from "./carriers";
import { describeCalls } from "./callSuites";
import { describeSafeCalls } from "./safeSuites";
import { describeScopes } from "./scopeSuites";
import { memoryServer } from "./streamingCarriers";

describeCalls(nodeCarriers);
describeSafeCalls([...nodeCarriers, memoryServer]);
describeScopes(nodeCarriers);
