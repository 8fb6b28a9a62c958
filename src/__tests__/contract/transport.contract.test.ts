import { nodeCarriers } from "./carriers";
import { describeCalls } from "./callSuites";

describeCalls(nodeCarriers);
