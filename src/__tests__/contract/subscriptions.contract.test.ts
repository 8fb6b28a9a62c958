import { streamingCarriers } from "./streamingCarriers";
import { describeSubscriptions } from "./subscriptionSuites";

describeSubscriptions(streamingCarriers);
