import { describeBytes } from "./byteSuites";
import { nodeCarriers } from "./carriers";

describeBytes(nodeCarriers);
